// CommonJS that requires a module which imports the SDK.
require('./module-that-asks.mjs').run();
