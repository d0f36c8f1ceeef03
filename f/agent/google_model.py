"""Gemini, through Google's own OpenAI-compatible endpoint.

It takes tools and tells usage in OpenAI's form, so its native form would add nothing but a second
translation. One thing is its own: a call carries a signature of the model's thoughts, which has
to come back with it. https://ai.google.dev/gemini-api/docs/openai
"""

from f.agent.openai_model import OpenAIModel


class GoogleModel(OpenAIModel):
    default_url = "https://generativelanguage.googleapis.com/v1beta/openai"
    wanted_back = ("extra_content",)
