export default {
  // Required by Node and not bundled: a copy of the SDK in a bundle cannot be traced, nor does it find its binary.
  serverExternalPackages: ['@anthropic-ai/claude-agent-sdk'],
};
