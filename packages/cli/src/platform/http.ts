import { limits } from '../limits.ts';

/** GETs JSON from a program of ours on this machine. Throws when it does not answer in time, says something else than 200, or too much. */
export async function getJson(url: string): Promise<unknown> {
  const response = await fetch(url, { signal: AbortSignal.timeout(limits.httpTimeout), redirect: 'error' });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`${url} answered ${response.status}`);
  }
  const length = Number(response.headers.get('content-length') ?? 0);
  if (length > limits.answerBytes) throw new Error(`${url} answered with ${length} bytes, at most ${limits.answerBytes} are read`);
  return response.json();
}
