/** What a test reads out of an answer: members that it expects to be there, where their absence is its failure. */
// biome-ignore lint/suspicious/noExplicitAny: the shapes are the types of the routes, and a test is what holds the two together
export type Json = any;
