// The program of a helper thread: src/wasm/helper-threads.node.ts starts it. Plain JavaScript beside engine.wasm, so that no loader is needed in the thread.
import { workerData } from 'node:worker_threads';

const { module, memory, worker, stackTop, lost } = workerData;
try {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  exports.__stack_pointer.value = stackTop;
  exports.help(worker);
} catch (error) {
  Atomics.store(new Int32Array(memory.buffer, lost, 1), 0, 1);
  throw error;
}
