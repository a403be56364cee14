import { type EndRequest, type Frame, type RunRequest, parseFrame } from '@commonweight/protocol';

export const postJson = (url: string, body: unknown, signal?: AbortSignal): Promise<Response> =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), ...(signal && { signal }) });

/** Frames of a run, as they come. */
export async function* runFrames(url: string, run: RunRequest, signal?: AbortSignal): AsyncGenerator<Frame> {
  const response = await postJson(`${url}/v1/run`, run, signal);
  if (response.status !== 200) {
    yield parseFrame(await response.json());
    return;
  }
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n')) {
      yield parseFrame(JSON.parse(text.slice(0, at)));
      text = text.slice(at + 1);
    }
  }
}

export async function allFrames(url: string, run: RunRequest): Promise<Frame[]> {
  const frames: Frame[] = [];
  for await (const frame of runFrames(url, run)) frames.push(frame);
  return frames;
}

export const postEnd = (url: string, end: EndRequest): Promise<Response> => postJson(`${url}/v1/end`, end);
