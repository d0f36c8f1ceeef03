"""How many of our modules a step imports: on Windmill each costs every one of its jobs 15 to 20 ms.

A number here is a budget: a change that needs a module more either merges two or says why.
"""

import subprocess
import sys

import pytest

from local.places import ROOT

# Of a WhatsApp message, answered by a model that speaks OpenAI's form.
VENDOR = 'import f.channels.registry as registry; vendor = registry.library("whatsapp")'
ANSWER = f"{VENDOR}; vendor.split_text; import f.agent.openai_model"
STEPS = [
    ("f.channels.receive_webhook", f"{VENDOR}; vendor.verify; vendor.parse", 29),
    ("f.chat.load_turn", "", 6),
    ("f.chat.run_agent", ANSWER, 62),
    (
        "f.chat.run_agent",
        f"{ANSWER}; import f.agent.knowledge_search",
        75,
    ),  # it looked something up
    ("f.chat.send_reply", f"{VENDOR}; vendor.send_text", 30),
    ("f.chat.save_turn", "", 6),
    ("f.chat.record_usage", "", 6),
]


@pytest.mark.parametrize(("step", "needed", "budget"), STEPS)
def test_a_step_imports_no_more_of_our_modules_than_its_budget(step, needed, budget):
    code = f"import sys, {step}; {needed or 'pass'}; print(*sys.modules)"
    told = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True)
    ours = {name for name in told.split() if name.count(".") > 1 and name.startswith("f.")} - {step}

    assert len(ours) <= budget, sorted(ours)
