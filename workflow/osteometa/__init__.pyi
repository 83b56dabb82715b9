from osteometa.api.effect_sizes import md as md
from osteometa.api.effect_sizes import rom as rom
from osteometa.api.effect_sizes import smd as smd
from osteometa.api.models import cross_check as cross_check
from osteometa.api.models import pool as pool
from osteometa.api.models import regress as regress
from osteometa.api.plots import forest as forest
from osteometa.api.reviews import check_review as check_review
from osteometa.api.reviews import derive as derive

__version__: str
