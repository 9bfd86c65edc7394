/** Passwords come from the terminal without being shown, or from standard input: never as an argument, which others can see. */
import { once } from 'node:events';

const INPUT_MAX = 65_536;

/** The first line of standard input. */
export async function passwordFromInput(input: NodeJS.ReadStream): Promise<string> {
  let text = '';
  for await (const chunk of input.setEncoding('utf8')) {
    text += chunk as string;
    if (text.includes('\n') || text.length > INPUT_MAX) break;
  }
  return (text.split('\n')[0] ?? '').replace(/\r$/, '');
}

/** Asks twice on a terminal; null when it was broken off or the two differ. */
export async function askPassword(input: NodeJS.ReadStream, output: NodeJS.WriteStream): Promise<string | null> {
  const password = await ask('Password: ', input, output);
  if (password === null) return null;
  const again = await ask('Again: ', input, output);
  return again === password ? password : null;
}

/** Reads keys one by one: the terminal shows none of them. */
async function ask(question: string, input: NodeJS.ReadStream, output: NodeJS.WriteStream): Promise<string | null> {
  output.write(question);
  input.setRawMode(true);
  input.setEncoding('utf8');
  input.resume();
  let typed: string[] = [];
  try {
    for (;;) {
      const [keys] = (await once(input, 'data')) as [string];
      for (const key of keys) {
        if (key === '\r' || key === '\n') return typed.join('');
        if (key === '\u0003' || key === '\u0004') return null;
        if (key === '\u007f' || key === '\b') typed = typed.slice(0, -1);
        else if (key === '\u0015') typed = [];
        else if (key >= ' ') typed.push(key);
      }
    }
  } finally {
    input.setRawMode(false);
    input.pause();
    output.write('\n');
  }
}
