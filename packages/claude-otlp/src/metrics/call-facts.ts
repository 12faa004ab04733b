import type { Attributes, LlmSpan } from '@spanprism/core';
import { SEMCONV as S, SEMCONV_LATEST as L } from '@spanprism/core/dialect';

/** What all calls to one model of one provider have in common, and with which further attribute figures want it. */
export interface CallFacts {
  readonly of: Pick<LlmSpan, 'provider' | 'requestModel' | 'responseModel'>;
  readonly facts: Attributes;
  readonly input: Attributes;
  readonly output: Attributes;
  /** The API does not say which tokens were text and which an image. */
  readonly modal: Attributes;
}

/** More models than a program uses at a time; where there are more, all are made anew. */
const MOST_KNOWN = 16;
let known: CallFacts[] = [];

/** The same object for the same model every time, by which an aggregation finds its series at once. */
export function callFacts(call: LlmSpan): CallFacts {
  const { provider, requestModel, responseModel } = call;
  for (const one of known) {
    const { of } = one;
    if (of.requestModel === requestModel && of.responseModel === responseModel && of.provider === provider) return one;
  }
  if (known.length >= MOST_KNOWN) known = [];
  const made = makeFacts(call);
  known.push(made);
  return made;
}

function makeFacts({ provider, requestModel, responseModel }: LlmSpan): CallFacts {
  const model = responseModel === undefined ? {} : { responseModel };
  const facts = {
    [S.ATTR_GEN_AI_OPERATION_NAME]: S.GEN_AI_OPERATION_NAME_VALUE_CHAT,
    [S.ATTR_GEN_AI_PROVIDER_NAME]: provider,
    [S.ATTR_GEN_AI_REQUEST_MODEL]: requestModel,
    ...(responseModel === undefined ? {} : { [S.ATTR_GEN_AI_RESPONSE_MODEL]: responseModel }),
  };
  return {
    of: { provider, requestModel, ...model },
    facts,
    input: { ...facts, [S.ATTR_GEN_AI_TOKEN_TYPE]: S.GEN_AI_TOKEN_TYPE_VALUE_INPUT },
    output: { ...facts, [S.ATTR_GEN_AI_TOKEN_TYPE]: S.GEN_AI_TOKEN_TYPE_VALUE_OUTPUT },
    modal: { ...facts, [L.ATTR_GEN_AI_TOKEN_MODALITY]: 'unknown' },
  };
}
