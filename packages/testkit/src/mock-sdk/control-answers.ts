/**
 * Control requests of `Query` and what an idle session answers (SDK 0.3.329). The members that carry messages, prompts or the end of
 * the query are no control requests and are not here.
 */
export const CONTROL_ANSWERS = {
  setPermissionMode: undefined,
  setMcpPermissionModeOverride: {},
  setModel: undefined,
  setMaxThinkingTokens: undefined,
  applyFlagSettings: undefined,
  updateSettings: undefined,
  initializationResult: {
    commands: [],
    agents: [],
    output_style: 'default',
    available_output_styles: ['default'],
    models: [],
    account: {},
  },
  reinitialize: {
    commands: [],
    agents: [],
    output_style: 'default',
    available_output_styles: ['default'],
    models: [],
    account: {},
  },
  supportedCommands: [],
  supportedModels: [],
  supportedAgents: [],
  mcpServerStatus: [],
  getContextUsage: { categories: [], totalTokens: 0, maxTokens: 200_000, percentage: 0 },
  usage_EXPERIMENTAL_MAY_CHANGE_DO_NOT_RELY_ON_THIS_API_YET: { rate_limits_available: false, rate_limits: null },
  readFile: null,
  reloadPlugins: { commands: [], agents: [], plugins: [], mcpServers: [] },
  reloadSkills: { commands: [] },
  reloadOutputStyles: { output_styles: ['default'] },
  accountInfo: {},
  rewindFiles: { canRewind: false },
  seedReadState: undefined,
  reconnectMcpServer: undefined,
  toggleMcpServer: undefined,
  readMcpResource: { contents: [] },
  setMcpServers: { added: [], removed: [], errors: {} },
  stopTask: undefined,
  backgroundTasks: true,
} as const;

export type ControlName = keyof typeof CONTROL_ANSWERS;
export type ControlAnswers = Partial<Readonly<Record<ControlName, unknown>>>;
