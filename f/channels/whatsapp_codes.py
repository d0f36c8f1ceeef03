"""What the codes of WhatsApp Cloud mean, in answers to a send and in statuses.

https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
"""

from f.channels.refusals import Codes

CODES = Codes(
    later=(1, 2, 131000, 131016, 133004),
    too_fast=(4, 80007, 130429, 131056, 131057, 131208),
    needs_a_person=(
        *(0, 3, 10, "100/33", 190, 368),  # token, permission, wrong phone number id, policy
        *range(200, 300),  # permission
        *(131005, 131031, 131037, 131042, 131044, 131045, 133010),  # account, payment
    ),
    window_closed=(131047,),
    troubles={
        "permission_missing": (3, 10, *range(200, 300), 131005),
        "account_unknown": ("100/33",),
        "account_restricted": (368, 131031, 131037, 131042, 131044, 131045, 133010),
    },
)
