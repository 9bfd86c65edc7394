/** Pages by number, as several of the APIs have them. */

export interface Page<T> {
  items: T[];
  total: number;
  page: number;
  limit: number;
  pages: number;
}

export function pageOf<T>(items: T[], total: number, page: number, limit: number): Page<T> {
  return { items, total, page, limit, pages: Math.ceil(total / limit) };
}

export const skipOf = (page: number, limit: number): number => (page - 1) * limit;
