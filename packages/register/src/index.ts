// `node --import @spanprism/register app.js`. Loading this hooks the imports of the Agent SDK and does nothing else.
import { AutomaticTracing } from './automatic-tracing.ts';
import { onSdkImport } from './hook.ts';
import { loadInstalled } from './installed.ts';
import { say } from './say.ts';
import { isSentryLive } from './sentry-state.ts';
import { wrapLate } from './wrap-late.ts';

const automatic = new AutomaticTracing({
  environment: process.env,
  isSentryLive,
  load: loadInstalled,
  say,
});

onSdkImport((sdk) => {
  let isClaimed = false;
  let watched: object | undefined;
  // Early, so that nobody waits for it in a first call; but whether Sentry is set up is known no sooner than there.
  if (!process.env['SENTRY_DSN']) setImmediate(() => isClaimed || automatic.start()).unref();
  return wrapLate(sdk, {
    watched: (member) => {
      // A tool server is made long before anything is traced, if ever.
      if (member !== 'createSdkMcpServer') automatic.announce();
      watched ??= automatic.start()?.wrapSdk(sdk);
      return watched;
    },
    claimed: () => {
      isClaimed = true;
    },
  });
});
