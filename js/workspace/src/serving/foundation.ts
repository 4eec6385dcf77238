import type { ChatModel } from "../models/chat-model.js";
import type { Embedder } from "../models/embedder.js";
import { LocalChat } from "./local-chat.js";
import { LocalEmbedding } from "./local-embedding.js";
import type { FoundationModel } from "./opener.js";
import type { ServedModel } from "./served-model.js";

export const CHAT_ENDPOINT = "local-chat";
export const EMBEDDING_ENDPOINT = "local-embedding";

/** The models that run on this machine, as the foundation models of the workspace. */
export function foundationModels(chat: ChatModel, embedder: Embedder): FoundationModel[] {
  const own = (endpoint: string, displayName: string, model: ServedModel): FoundationModel => ({
    endpoint,
    entity: `system.ai.${displayName.replaceAll(".", "_")}`,
    displayName,
    model,
  });
  return [own(CHAT_ENDPOINT, chat.name, new LocalChat(chat)), own(EMBEDDING_ENDPOINT, embedder.id, new LocalEmbedding(embedder))];
}
