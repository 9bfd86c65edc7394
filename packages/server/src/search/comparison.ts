/** What came of comparing a search index with what it is made from. */
export interface IndexComparison {
  differences: string[];
  /** Why the two could not be compared. */
  note?: string;
}
