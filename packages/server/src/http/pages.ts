/** The few pages that the server itself draws: its front door until there is an app, and the list of errors. Nothing comes from outside. */
import { createHash } from 'node:crypto';
import { ERRORS } from '@natter/protocol';

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2024; --soft: #60646c; --line: #e0e1e6; --paper: #fcfcfd; --card: #fff; --accent: #5b5bd6; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #edeef0; --soft: #b0b4ba; --line: #363a3f; --paper: #111113; --card: #18191b; --accent: #b1a9ff; }
}
* { box-sizing: border-box; }
body { margin: 0; padding: 4rem 1.25rem; background: var(--paper); color: var(--ink); font: 1rem/1.6 system-ui, sans-serif; }
main { max-width: 46rem; margin: 0 auto; }
h1 { margin: 0 0 .25rem; font-size: 2.25rem; line-height: 1.2; letter-spacing: -.02em; }
h2 { margin: 2.5rem 0 .75rem; font-size: 1.1rem; }
p { margin: 0 0 1rem; } .lead { color: var(--soft); font-size: 1.15rem; }
a { color: var(--accent); text-underline-offset: .2em; } a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
code, pre { font: .875rem/1.6 ui-monospace, monospace; }
pre { margin: 0; padding: 1rem 1.25rem; overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: .625rem; }
ul.doors { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: .75rem; margin: 0; padding: 0; list-style: none; }
ul.doors a { display: block; height: 100%; padding: .9rem 1.1rem; background: var(--card); border: 1px solid var(--line); border-radius: .625rem; text-decoration: none; }
ul.doors a:hover { border-color: var(--accent); }
ul.doors span { display: block; color: var(--soft); font-size: .9rem; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; } th, td { padding: .5rem .75rem .5rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { color: var(--soft); font-weight: 500; font-size: .9rem; } tr:target { background: color-mix(in srgb, var(--accent) 15%, transparent); }
footer { margin-top: 3rem; color: var(--soft); font-size: .9rem; }
`;

/** Two speech bubbles, on whatever stands behind them. */
export const LOGO = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" role="img" aria-label="Natter"><path fill="#8e8cf0" d="M6 3h14a4 4 0 0 1 4 4v7a4 4 0 0 1-4 4h-7l-6 5v-5H6a4 4 0 0 1-4-4V7a4 4 0 0 1 4-4z"/><path fill="#5b5bd6" d="M26 11v3a6 6 0 0 1-6 6h-6.300l-1.200 1c.7 1.200 2 2 3.500 2h4l5 5v-5h1a4 4 0 0 0 4-4v-4a4 4 0 0 0-4-4z"/></svg>`;

/** What the pages may do: show themselves. */
export const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

function page(title: string, main: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="/favicon.ico" type="image/svg+xml">
<style>${STYLE}</style>
</head>
<body>
<main>
${main}
</main>
</body>
</html>
`;
}

const FIRST_STEPS = `curl -s localhost:8000/v1/users -H 'content-type: application/json' \\
  -d '{"name": "ada", "password": "correct horse battery"}'

curl -s localhost:8000/v1/rooms -H "authorization: Bearer $TOKEN" \\
  -H 'content-type: application/json' -d '{"kind": "channel", "name": "kitchen"}'

curl -s localhost:8000/v1/rooms/$ROOM/messages -H "authorization: Bearer $TOKEN" \\
  -H 'content-type: application/json' -d '{"text": "Hello"}'`;

export function homePage(version: string): string {
  return page(
    'Natter',
    `<h1>Natter</h1>
<p class="lead">A chat server that never loses, repeats or reorders a message.</p>
<p>It is running. People reach it through apps and programs that speak its API.</p>
<h2>Documents</h2>
<ul class="doors">
<li><a href="/docs">Try the API<span>Every route, to call from here</span></a></li>
<li><a href="/redoc">Read the API<span>The same as one page</span></a></li>
<li><a href="/openapi.json">OpenAPI 3.1<span>For programs: HTTP</span></a></li>
<li><a href="/asyncapi.json">AsyncAPI 3.0<span>For programs: the WebSocket</span></a></li>
<li><a href="/docs/errors">Errors<span>Every code, and what it means</span></a></li>
<li><a href="/health">Health<span>Is it well?</span></a></li>
</ul>
<h2>First steps</h2>
<pre tabindex="0"><code>${FIRST_STEPS}</code></pre>
<footer>Natter ${version}</footer>`,
  );
}

export function errorsPage(): string {
  const rows = Object.entries(ERRORS).map(
    ([code, { status, title, retryable }]) =>
      `<tr id="${code}"><td><code>${code}</code></td><td>${status}</td><td>${title}</td><td>${retryable ? 'yes' : 'no'}</td></tr>`,
  );
  return page(
    'Natter: errors',
    `<h1>Errors</h1>
<p class="lead">Refusals are problem details (RFC 9457) with one of these codes. “Again?” says whether the same request may succeed later, unchanged.</p>
<div class="scroll"><table>
<thead><tr><th scope="col">code</th><th scope="col">status</th><th scope="col">meaning</th><th scope="col">again?</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table></div>
<footer><a href="/docs">The API</a></footer>`,
  );
}

/** ReDoc needs a place to draw in, and its file. */
export const redocPage = (title: string, spec: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="/favicon.ico" type="image/svg+xml">
<style>body { margin: 0; }</style>
</head>
<body>
<redoc spec-url="${spec}" hide-loading></redoc>
<script src="/redoc/redoc.standalone.js"></script>
</body>
</html>
`;

/** What the interactive documents may do: draw with styles of their own making, and call this server. */
export const DOCS_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
