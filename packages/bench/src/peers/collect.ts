/** Preloaded into Node servers whose memory is read: SIGUSR2 collects the garbage (needs --expose-gc). */
process.on('SIGUSR2', () => {
  globalThis.gc?.();
  globalThis.gc?.();
});
