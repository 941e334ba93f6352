"""A second opinion on what a text says, by an OpenAI-compatible endpoint: optional, afterwards, and masked."""
