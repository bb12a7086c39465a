"""Tests of bad wells, roles, numbers, units and names in a plate map."""

import pytest
from maps import HEAD, refused_text, with_line

# Kind of fault, content of a CSV file, and what the message says after the file's name.
BAD = [
    # Wells.
    (
        "a word for a well",
        with_line("first,sample,X,1,uM"),
        "4, column 1 (well): 'first' i",
    ),
    (
        "beyond any plate",
        with_line("A49,sample,X,1,uM"),
        "'A49' is not a well; write row",
    ),
    (
        "no well",
        with_line(",sample,X,1,uM"),
        ", line 4, column 1 (well): the well is mis",
    ),
    (
        "a well twice",
        with_line("b-1,sample,drug,2,uM"),
        ", line 4, column 1 (well): well B01 is in line 3, too; keep one of the two, or",
    ),
    (
        "a well twice on a plate",
        "plate,well,role\nP1,A1,negative\nP2,A1,negative\nP1,A1,blank\n",
        ", line 4, column 2 (well): well A01 of plate 'P1' is in line 2, too;",
    ),
    (
        "a plate that is named here and there",
        "plate,well,role\nP1,A1,negative\n,A2,negative\n",
        ", line 3, column 1 (plate): the plate of A02 is missing, and line 2 has one",
    ),
    (
        "a cell line that is named here and there",
        "well,role,cell_line\nA1,negative,\nA2,negative,HT29\nA3,blank,\n",
        ", line 2, column 3 (cell_line): the cell_line of A01 is missing, and line 3 has one",
    ),
    # Roles.
    (
        "a misspelt role",
        with_line("C01,sampel,drug,1,uM"),
        ", line 4, column 2 (role): role 'sampel' is not known; write sample, negative, positive, "
        "blank or empty; did you mean sample?",
    ),
    ("a short role", with_line("C01,neg,,,"), "or empty; did you mean negative?"),
    (
        "an unknown role",
        with_line("C01,control,,,"),
        ", line 4, column 2 (role): role 'con",
    ),
    (
        "a treatment without a role",
        with_line("C01,,drug,1,uM"),
        ", line 4, column 2 (role): the role is missing; write sample, negative, positive, blank o",
    ),
    (
        "a dose of 0 without a role, which is no control",
        with_line("C01,,,0,"),
        ", line 4, column 2 (role): the role is missing",
    ),
    (
        "a sample without a treatment",
        with_line("C01,sample,,1,uM"),
        ", line 4, column 3 (treatment): the treatment of a sample is missing; write its name",
    ),
    (
        "a sample in a map without treatments",
        "well,role\nA1,negative\nA2,sample\n",
        ", line 3, column treatment: the treatment of a sample is missing",
    ),
    (
        "an empty well with a drug",
        with_line("C01,empty,drug,1,uM"),
        ", line 4, column 2 (role): an empty well has a treatment or a concentration; write the",
    ),
    (
        "empty wells alone",
        "well,role\nA1,empty\n",
        ": every well has the role empty; give",
    ),
    (
        "a template that is not filled in",
        HEAD + "A01,,,,\nA02,,,,\n",
        ": no role is filled in yet; write sample, negative, positive, blank or empty into",
    ),
    # Numbers, units and the rest.
    (
        "a concentration with its unit",
        with_line("C01,sample,drug,1 uM,uM"),
        ", line 4, column 4 (concentration): '1 uM' is not a number; write a number such as 2.5 wi",
    ),
    (
        "a missing value of R",
        with_line("C01,negative,,NA,"),
        "'NA' is not a number; wri",
    ),
    (
        "nan, which Python reads",
        with_line("C01,negative,,nan,"),
        "'nan' is not a number",
    ),
    (
        "an underscore, which Python reads",
        with_line("C01,negative,,1_0,"),
        "'1_0' is not",
    ),
    (
        "a negative dose",
        with_line("C01,sample,drug,-1,uM"),
        "'-1' is negative; write 0 or",
    ),
    (
        "an infinite dose",
        with_line("C01,sample,drug,1e999,uM"),
        "'1e999' is too large for",
    ),
    (
        "a dose that is missing",
        with_line("C01,sample,drug,,uM"),
        ", line 4, column 4 (concentration): the concentration of 'drug' is missing, and line 3 ha",
    ),
    (
        "a unit in other letters",
        with_line("C01,sample,drug,1,um"),
        ", line 4, column 5 (concentration_unit): unit 'um' is not known; write M, mM, uM, nM, ",
    ),
    (
        "an unknown unit",
        with_line("C01,sample,X,1,cells"),
        "unit 'cells' is not known; wri",
    ),
    (
        "units of two scales in a treatment",
        with_line("C01,sample,drug,5,nM"),
        ", line 4, column 5 (concentration_unit): 'drug' is in nM here and in uM in line 3;",
    ),
    (
        "mass and amount in a treatment",
        with_line("C01,sample,drug,5,ng/mL"),
        "is in ng/mL here and in uM in line 3 (mass concentration and molar concentration); use on",
    ),
    (
        "a dose without unit",
        with_line("C01,sample,drug,5,"),
        "is in no unit here and in uM",
    ),
    (
        "a treatment in other letters",
        with_line("C01,sample,Drug,5,uM"),
        ", line 4, column 3 (treatment): 'Drug' is 'drug' in line 3; write both alike",
    ),
    (
        "a wrong seeding",
        "well,role,seeding\nA1,negative,many\n",
        "column 3 (seeding): 'many'",
    ),
    (
        "neither excluded nor not",
        "well,role,excluded\nA1,negative,maybe\n",
        ", line 2, column 3 (excluded): excluded is 'maybe'; write yes, true, 1 or x, or no, false",
    ),
]


@pytest.mark.parametrize(("content", "said"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_a_bad_cell_is_one_clear_line(tmp_path, content, said):
    assert said in refused_text(tmp_path, "map.csv", content)
