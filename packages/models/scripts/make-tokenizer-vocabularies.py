"""Writes conformance/tokenizer/{bpe,sentencepiece}-vocabulary.json: small vocabularies trained on our corpus, and what sentencepiece itself
makes of the corpus with the second one. The BPE's merges cross words, digits, spaces and lines, so that every cut of a pre-tokenizer shows.

  npx tsx packages/models/scripts/print-tokenizer-corpus.ts > /tmp/corpus.json
  pip install sentencepiece==0.2.3 tokenizers==0.23.3
  python3 packages/models/scripts/make-tokenizer-vocabularies.py /tmp/corpus.json
"""
import io
import json
import sys
from pathlib import Path

import sentencepiece
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

corpus = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
folder = Path(__file__).resolve().parents[3] / "conformance" / "tokenizer"


def write(name, value):
    lines = ",\n".join(f" {json.dumps(key)}: {json.dumps(part, ensure_ascii=True)}" for key, part in value.items())
    (folder / f"{name}-vocabulary.json").write_text("{\n" + lines + "\n}\n", encoding="utf-8")


bpe = Tokenizer(models.BPE())
bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
alphabet = pre_tokenizers.ByteLevel.alphabet()
bpe.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=2000, initial_alphabet=alphabet, min_frequency=2, max_token_length=12, show_progress=False))
state = json.loads(bpe.to_str())["model"]
tokens = sorted(state["vocab"], key=state["vocab"].get)
merges = [" ".join(merge) if isinstance(merge, list) else merge for merge in state["merges"]]
write("bpe", {"tokens": tokens, "merges": merges})

model = io.BytesIO()
sentencepiece.SentencePieceTrainer.train(
    sentence_iterator=iter(line for text in corpus for line in text.split("\n") if line.strip() and "\0" not in line),
    model_writer=model,
    model_type="bpe",
    vocab_size=1500,
    byte_fallback=True,
    normalization_rule_name="identity",
    remove_extra_whitespaces=False,
    allow_whitespace_only_pieces=True,
    split_digits=True,
    character_coverage=0.98,
    max_sentence_length=100000,
    num_threads=1,
    minloglevel=2,
)
processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
pieces = range(processor.get_piece_size())
kinds = {"unknown": processor.is_unknown, "control": processor.is_control, "byte": processor.is_byte}
write(
    "sentencepiece",
    {
        "source": {"program": "sentencepiece", "version": sentencepiece.__version__},
        "tokens": [processor.id_to_piece(i) for i in pieces],
        "scores": [processor.get_score(i) for i in pieces],
        "kinds": [next((kind for kind, test in kinds.items() if test(i)), "normal") for i in pieces],
        "ids": [processor.encode(text) for text in corpus],
    },
)
