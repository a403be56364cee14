const NETWORK =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET|network (?:request|connectivity)|self.signed certificate/iu;
const DISK = /ENOSPC|EDQUOT|no space left on device|disk quota exceeded/iu;
const PERMISSION = /EACCES|EPERM|EROFS/u;

/** Turns what a failed program printed into one sentence that says what to do. */
export function explain(what, output, folder) {
  if (DISK.test(output))
    return `The disk is full while ${what}: free about 1.5 GB on the disk that holds ${folder} and run the command again.`;
  if (NETWORK.test(output))
    return `No network while ${what}: npm could not reach its registry; connect (or set the proxy in npm's configuration) and run the command again.`;
  if (PERMISSION.test(output)) return `No permission while ${what}: this user must be able to write in ${folder}.`;
  const last = output.trim().split('\n').slice(-12).join('\n');
  return `Something went wrong while ${what}:\n${last}`;
}
