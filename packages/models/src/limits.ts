/** Every bound of this package. What lies outside is refused with a typed error, never truncated. */
export const limits = {
  /** Metadata entries of a GGUF file. */
  ggufKeys: 4_096,
  /** Bytes of a metadata key and of a tensor name. */
  ggufNameBytes: 256,
  /** Bytes of one metadata string (the chat template is the longest in practice). */
  ggufStringBytes: 1 << 20,
  /** Elements of one metadata array; the vocabulary and its merges are the longest. */
  ggufArrayLength: 1 << 21,
  /** Elements of all metadata arrays together. */
  ggufArrayElements: 1 << 22,
  /** Bytes from the start of the file to the end of the tensor list. */
  ggufHeaderBytes: 256 << 20,
  ggufDimensions: 4,
  ggufAlignment: 1 << 16,
  /** Bytes of the window through which the header is read. */
  ggufWindowBytes: 1 << 16,
  /** Bytes of the header of a safetensors file (70B models: about 100 KB). */
  safetensorsHeaderBytes: 1 << 20,
  safetensorsShards: 512,
  /** Bytes of config.json, of tokenizer_config.json and of the index of shards. */
  configBytes: 4 << 20,
  /** Levels and values of a JSON file of somebody else. */
  jsonDepth: 16,
  jsonValues: 1 << 17,
  /** Values of tokenizer.json: tokens and merges. */
  tokenizerValues: 1 << 22,
  /** Bytes of packed weights converted between two looks at the abort signal. */
  slabBytes: 2 << 20,
  /** Elements of a matrix that is rotated as a whole (profile `int8`: attn_output and ffn_down), 8 bytes each in memory. */
  rotatedElements: 1 << 26,
  /** Characters of a piece of a SentencePiece vocabulary whose merges are derived from scores: the work is quadratic in them. */
  pieceCharacters: 256,
  /** The odd prime p of a Hadamard factor of order 4p, which is held with its 16 p^2 entries. */
  paleyPrime: 256,
  /** Bytes of tokenizer.json. */
  tokenizerBytes: 64 << 20,
  /** Bytes of chat_template.jinja. */
  chatTemplateBytes: 1 << 20,
  /** UTF-16 units of one text given to the tokenizer, and of one rendered chat. */
  textLength: 4 << 20,
  /** Messages of one chat. */
  chatMessages: 4_096,
  /** Milliseconds for rendering one chat template. */
  renderMilliseconds: 2_000,
  /** Chats waiting for the render process. */
  renderQueue: 256,
  /** Megabytes of heap of the render process. */
  renderHeapMegabytes: 256,
  /** Positions that a converted model may use, whatever its file says. */
  contextPositions: 8_192,
  /** Bytes of a file that is downloaded. */
  downloadBytes: 2 ** 36,
  /** Redirects followed by a download. */
  redirects: 5,
  /** Milliseconds until a host must have answered. */
  connectMilliseconds: 4_000,
  /** Milliseconds without a byte after which a download counts as cut. */
  idleMilliseconds: 20_000,
  /** Attempts to continue a download that was cut. */
  resumes: 5,
  /** Milliseconds for `pip download`. */
  pipMilliseconds: 600_000,
  /** Milliseconds without output after which pip counts as unreachable. */
  pipSilenceMilliseconds: 30_000,
  /** Characters of a program's output kept for an error message. */
  programOutput: 4_000,
  /** Entries and bytes of a wheel's central directory. */
  zipEntries: 1_024,
  zipDirectoryBytes: 1 << 20,
} as const;
