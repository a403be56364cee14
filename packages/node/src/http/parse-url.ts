/** The URL, or undefined for text that is none. (`URL.parse` does the same, from Node 22.1 on.) */
export function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
