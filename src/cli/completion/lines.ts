/** The word with which shells ask for names that a master knows; it is no command for people. */
export const namesWord = '__names';
