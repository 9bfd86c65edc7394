/** The advisory locks of Natter in a database: two numbers each, the first one ours. */

const SPACE = 0x6e_61_74_74;

export const LOCKS = {
  /** Held by whoever makes or migrates the schema. */
  migration: [SPACE, 1],
  /** Held by the one node whose search index follows the log. */
  search: [SPACE, 2],
} as const;
