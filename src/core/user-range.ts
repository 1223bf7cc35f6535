/** Numbers of users, and of groups alike. */
export interface UserRange {
  readonly first: number;
  readonly last: number;
}
