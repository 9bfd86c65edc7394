/** A message's text as elements. */
import { memo, type ReactNode, use, useSyncExternalStore } from 'react';
import { type Chat, ChatContext } from '../chat/chat.js';
import { t } from '../texts/texts.js';
import { CodeBlock } from './CodeBlock.js';
import type { Inline } from './inline.js';
import styles from './Markdown.module.css';
import { type Block, parse } from './parse.js';
import { RoomLink } from './RoomLink.js';

/** Trees of texts that were shown lately: a room that is opened again need not be read again. */
const PARSED_MAX = 2_000;
const parsed = new Map<string, readonly Block[]>();

function parsedOnce(text: string): readonly Block[] {
  const known = parsed.get(text);
  if (known) return known;
  const blocks = parse(text);
  parsed.set(text, blocks);
  if (parsed.size > PARSED_MAX) parsed.delete(parsed.keys().next().value as string);
  return blocks;
}

export interface MarkdownProps {
  text: string;
  /** Ids of those whom the text calls; everybody is `null`. */
  calls?: readonly number[] | null | undefined;
  /** Stands behind the last word. */
  after?: ReactNode;
}

export const Markdown = memo(function Markdown({ text, calls, after }: MarkdownProps) {
  const blocks = parsedOnce(text);
  const last = blocks.at(-1);
  const inside = last?.is === 'paragraph';
  return (
    <div className={styles.text} data-text>
      {(inside ? blocks.slice(0, -1) : blocks).map((block, at) => showBlock(block, at, calls))}
      {inside ? (
        <p>
          {last.inline.map((node, at) => showInline(node, at, calls))}
          {after}
        </p>
      ) : (
        after
      )}
    </div>
  );
});

function showBlock(block: Block, key: number, calls: MarkdownProps['calls']): ReactNode {
  const inline = (nodes: readonly Inline[]) => nodes.map((node, at) => showInline(node, at, calls));
  switch (block.is) {
    case 'paragraph':
      return <p key={key}>{inline(block.inline)}</p>;
    case 'heading':
      // A heading in a message is none of the page's.
      return (
        <p key={key} className={styles.heading} data-level={Math.min(block.level, 3)}>
          {inline(block.inline)}
        </p>
      );
    case 'quote':
      return <blockquote key={key}>{block.blocks.map((inner, at) => showBlock(inner, at, calls))}</blockquote>;
    case 'list': {
      const items = block.items.map((item, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the tree of a text never changes
        <li key={at}>{item.map((inner, index) => showItem(inner, index, calls))}</li>
      ));
      return block.start === null ? (
        <ul key={key}>{items}</ul>
      ) : (
        <ol key={key} start={block.start}>
          {items}
        </ol>
      );
    }
    case 'code':
      return <CodeBlock key={key} text={block.text} language={block.language} />;
    case 'table':
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by key
        <div key={key} className={styles.scroll} tabIndex={0}>
          <table>
            <thead>
              <tr>
                {block.head.map((cell, at) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: the tree of a text never changes
                  <th key={at} scope="col">
                    {inline(cell)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {block.rows.map((row, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: the tree of a text never changes
                <tr key={at}>
                  {row.map((cell, column) => (
                    // biome-ignore lint/suspicious/noArrayIndexKey: the tree of a text never changes
                    <td key={column}>{inline(cell)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      );
    case 'rule':
      return <hr key={key} />;
  }
}

/** The only paragraph of an item needs no paragraph. */
function showItem(block: Block, key: number, calls: MarkdownProps['calls']): ReactNode {
  if (block.is !== 'paragraph') return showBlock(block, key, calls);
  return <span key={key}>{block.inline.map((node, at) => showInline(node, at, calls))}</span>;
}

function showInline(node: Inline, key: number, calls: MarkdownProps['calls']): ReactNode {
  const inner = (nodes: readonly Inline[]) => nodes.map((one, at) => showInline(one, at, calls));
  switch (node.is) {
    case 'text':
      return node.text;
    case 'break':
      return <br key={key} />;
    case 'code':
      return <code key={key}>{node.text}</code>;
    case 'strong':
      return <strong key={key}>{inner(node.inline)}</strong>;
    case 'em':
      return <em key={key}>{inner(node.inline)}</em>;
    case 'del':
      return <del key={key}>{inner(node.inline)}</del>;
    case 'link':
      return (
        <a key={key} href={node.href} target="_blank" rel="noopener noreferrer nofollow">
          {inner(node.inline)}
        </a>
      );
    case 'mention':
      return <Mention key={key} name={node.name} calls={calls} />;
    case 'room':
      return <RoomLink key={key} name={node.name} />;
  }
}

const EVERYONE = new Set(['room', 'all', 'everyone', 'channel']);

/** A name that calls somebody stands out, and one's own most of all. */
function Mention({ name, calls }: { name: string; calls: MarkdownProps['calls'] }) {
  const chat = use(ChatContext);
  if (calls === undefined || chat === null) return `@${name}`;
  if (calls === null) {
    return EVERYONE.has(name.toLowerCase()) ? <span className={styles.mention} data-me>{`@${name}`}</span> : `@${name}`;
  }
  const bare = name.toLowerCase();
  const called = calls.find((user) => chat.client.people.get(user)?.name.toLowerCase() === bare);
  if (called === undefined && calls.length > 0) return <GroupMention name={name} calls={calls} chat={chat} />;
  if (called === undefined) return `@${name}`;
  return <span className={styles.mention} data-me={called === chat.me || undefined}>{`@${name}`}</span>;
}

/** A user group is called when anybody of it is. What it is may be known late: the text takes the same place either way. */
function GroupMention({ name, calls, chat }: { name: string; calls: readonly number[]; chat: Chat }) {
  const group = useSyncExternalStore(chat.usergroups.view.subscribe, () => chat.usergroups.get(name));
  const members = group?.members.filter((user) => calls.includes(user)) ?? [];
  if (!group || members.length === 0) return `@${name}`;
  const title = group.description || t.composer.group(members.length);
  return (
    <span className={styles.groupMention} data-me={members.includes(chat.me) || undefined} title={title}>
      {`@${name}`}
    </span>
  );
}
