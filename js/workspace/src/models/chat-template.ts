import { Template } from "@huggingface/jinja";

export interface Message {
  role: "system" | "user" | "assistant" | "tool";
  content: string;
}

/** A rendered prompt in pieces: text of the template, whose markers mean something to the model, and text of messages. */
export type PromptPiece = { template: string } | { message: string };

// From Unicode's private use area: no template contains them.
const OPEN = "\uE000";
const CLOSE = "\uE001";

/**
 * The chat template of a model (Jinja, from its GGUF file), rendered so that messages stay apart from the template:
 * a user who writes `<|im_end|>` has written ten characters, and not the end of a message.
 */
export class ChatTemplate {
  readonly #template: Template;
  readonly #variables: Record<string, unknown>;

  constructor(source: string, bosToken: string, eosToken: string) {
    this.#template = new Template(source);
    this.#variables = { bos_token: bosToken, eos_token: eosToken, add_generation_prompt: true };
  }

  render(messages: Message[]): PromptPiece[] {
    const marked = messages.map(({ role }, i) => ({ role, content: `${OPEN}${i}${CLOSE}` }));
    const text = this.#template.render({ ...this.#variables, messages: marked });
    return text.split(/\uE000(\d+)\uE001/).map((piece, i) => {
      // split() puts what the group matched at the odd places
      return i % 2 === 0 ? { template: piece } : { message: messages[Number(piece)]?.content ?? "" };
    });
  }
}
