import type { Address, ModelId } from '@commonweight/protocol';
import type { Output } from '../output.ts';
import { devPrices, priceLine } from './dev-money.ts';

export interface Announcement {
  /** With `/v1`. */
  readonly url: string;
  readonly model: { readonly name: string; readonly id: ModelId };
  readonly nodes: readonly { readonly id: Address; readonly url: string }[];
  readonly liar?: Address;
  /** Whose money answers are paid with. */
  readonly payer: Address;
  readonly data: string;
  readonly logs: string;
  readonly seconds: number;
  /** Whether `--data` must be named to other commands. */
  readonly otherData: boolean;
}

const QUESTION = 'What is the capital of Japan?';

/** The last thing that `dev` says before it serves: where, what, who, and what to try. */
export function announce(output: Output, a: Announcement): void {
  const data = a.otherData ? ` --data ${a.data}` : '';
  const { url, model, nodes, liar, payer, logs, seconds } = a;
  const curl = (fields: object, file: string): string => {
    const body = JSON.stringify({ model: model.name, temperature: 0, messages: [{ role: 'user', content: QUESTION }], ...fields });
    return `curl -s ${url}/chat/completions -H 'content-type: application/json' -d '${body}' | tee ${file}`;
  };
  const askLiar = liar === undefined ? '' : `\n${curl({ provider: { only: [liar] } }, 'liar.json')}\n`;
  const { name, id } = model;
  output.event('ready', {
    url,
    model: { name, id },
    nodes,
    ...(liar !== undefined && { liar }),
    payer,
    prices: devPrices,
    data: a.data,
    logs,
    pid: process.pid,
    seconds,
  });
  output.print(`ready ${url}`);
  output.print(`
${curl({}, 'answer.json')}
${askLiar}
model  ${name}  ${id}
${nodes.map(({ id: node, url: endpoint }) => `node   ${node}  ${endpoint}`).join('\n')}${liar === undefined ? '' : `\nliar   ${liar}`}
payer  ${payer}  ${priceLine()}
logs   ${logs}
check  npx commonweight verify answer.json${data}
stop   Ctrl-C`);
}
