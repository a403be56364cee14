// Must parse on Node 16: this file exists to say one clear sentence there.

/** The sentence to print when this Node is too old, or undefined when it will do. */
export function nodeVersionProblem(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return undefined;
  return `Commonweight needs Node >= 20.19, and this is Node ${version}: install a newer one from https://nodejs.org and run the command again.`;
}
