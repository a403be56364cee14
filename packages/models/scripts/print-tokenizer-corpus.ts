// Prints the corpus as JSON, for make-tokenizer-vocabularies.py.
import { corpus } from './tokenizer-corpus.ts';

process.stdout.write(JSON.stringify(corpus));
