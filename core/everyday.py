"""Words that stand in every program and every comment, whoever wrote it."""

from __future__ import annotations

_KEYWORDS = """
abstract and array as assert async await begin bool boolean break byte case catch char class const
constructor continue def default defer defined del delete dict double elif else elsif end ensure
enum except export extends extern false final finally float fn for foreach from func function
global goto if impl implements import in include include_once instanceof int int32 int64 integer
interface is lambda let list long loop map match mod module mut namespace new nil none nonlocal not
null number object or override package pass private protected pub public raise range readonly ref
require require_once rescue return select self set short signed sizeof static str string struct
super switch template then this throw throws trait true try tuple type typedef typeof uint undefined
union unless unsafe unsigned until use using val var virtual void when where while with yield
"""
_BUILTINS = """
abs add all any append args assertion attributeerror callable cls console contains dir enumerate err
errors equals error exception extend false filter first float format get getattr hasattr hash index
indexerror init instance isinstance issubclass items iter join keyerror keys kwargs last len length
list log lower main map math max message min name next notimplementederror number object open
optional ord os pop print printf property push repr replace reversed round runtimeerror setattr size
slice some sorted split startswith endswith strip sum sys tostring trim type typeerror undefined
update upper value valueerror values vec warning zip
"""
_ENGLISH = """
about after again also always another are because been before being below between both but can
cannot could did does doing done each either every for from had has have here how into its itself
just may might more most must need needs never nor not now off once one only other otherwise our out
over own same see shall should since some such than that the their them then there therefore these
they this those through thus too two under until upon very was way were what when where whether
which while who why will with within without would you your
"""

EVERYDAY = frozenset(f"{_KEYWORDS} {_BUILTINS} {_ENGLISH}".split())
"""Keywords of the languages patchmark knows, their commonest names, and English without content;
all in lower case."""
