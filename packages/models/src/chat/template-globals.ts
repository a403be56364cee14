import { Environment } from '@huggingface/jinja';

const months = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];

/** strftime for a day: %Y %m %d %B %b, in English whatever the machine's language. */
function formatDate(date: string, format: string): string {
  const [year, month, day] = date.split('-') as [string, string, string];
  const name = months[Number(month) - 1]!;
  const parts: Readonly<Record<string, string>> = { Y: year, m: month, d: day, B: name, b: name.slice(0, 3), '%': '%' };
  return format.replace(/%(.)/g, (_, letter: string) => {
    const part = parts[letter];
    if (part === undefined) throw new Error(`the template asks for %${letter} of a date, only %Y %m %d %B %b are there`);
    return part;
  });
}

function range(start: number, stop?: number, step = 1): number[] {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  const values: number[] = [];
  if (step === 0) throw new Error('range() with step 0');
  for (let i = from; step > 0 ? i < to : i > to; i += step) values.push(i);
  return values;
}

/**
 * The library's global names, except that `strftime_now` tells the caller's date and not the machine's clock: the same chat gives the same ids.
 * @param date - YYYY-MM-DD, or undefined: a template that asks for it then fails.
 */
export function templateEnvironment(date: string | undefined, variables: Readonly<Record<string, unknown>>): Environment {
  const environment = new Environment();
  const globals = {
    false: false,
    true: true,
    none: null,
    False: false,
    True: true,
    None: null,
    range,
    raise_exception(reason: unknown): never {
      throw new Error(`the template refuses this chat: ${String(reason)}`);
    },
    strftime_now(format: string): string {
      if (date === undefined) throw new Error('the template asks for the date, none was given');
      return formatDate(date, format);
    },
  };
  for (const [name, value] of Object.entries({ ...globals, ...variables })) environment.set(name, value);
  return environment;
}
