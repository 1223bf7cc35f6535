/** What a page gets: the parts of the path behind its name. */
export interface PageProps {
  rest: readonly string[];
}
