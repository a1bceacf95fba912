import fc from 'fast-check';
import { generatedSeed, isFull } from './shares.ts';

// What is generated is the same in each run of `npm test`: a test that passes for one change passes for the next.
if (!isFull) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: generatedSeed });
