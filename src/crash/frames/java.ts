import type { FrameList } from '../description.js';

/** The class library, the languages on top of it, Jazzer and JUnit. */
export const javaFrames: FrameList = {
  functions: [
    'java.*',
    'javax.*',
    'jdk.*',
    'sun.*',
    'com.sun.*',
    'kotlin.*',
    'kotlinx.*',
    'scala.*',
    'groovy.*',
    'org.codehaus.groovy.*',
    'com.code_intelligence.jazzer.*',
    'org.junit.*',
    'junit.*',
    'org.gradle.*',
    'org.apache.maven.surefire.*',
    'com.google.common.base.Preconditions*',
    'com.google.common.base.Verify*',
    'org.opentest4j.*',
    'org.hamcrest.*',
    'dalvik.*',
    'android.os.*',
    'com.android.internal.*',
    'org.graalvm.*',
    'com.oracle.svm.*',
  ],
};
