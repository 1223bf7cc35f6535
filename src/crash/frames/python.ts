import type { FrameList } from '../description.js';

/** Python's library and Atheris: paths show them, since their functions have plain names. */
export const pythonFrames: readonly FrameList[] = [
  {
    files: ['/lib/python', '/lib64/python', '<frozen ', '/Lib/'],
    exceptFiles: ['/site-packages/', '/dist-packages/'],
  },
  {
    files: [
      '/atheris/',
      '/pysecsan/',
      '/_pytest/',
      '/pluggy/',
      '/hypothesis/',
      '<string>',
      '<__array_function__',
    ],
  },
];
