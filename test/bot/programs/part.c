/* A library that a target is built with. */
int part_of(int value) { return value == 'q'; }
