"""The page's modules in one file: what is joined, and what is refused."""

import pytest

from api_explorer.joining import CanNotBeJoined, join_modules


def test_a_module_comes_after_what_it_imports() -> None:
    sources = {
        "main.js": 'import { a } from "./a.js";\nimport { x } from "./x.js?v=@version@";\na(x);\n',
        "a.js": 'import { b } from "./b.js";\nexport function a(x) { return b + x; }\n',
        "b.js": "export const b = 1;\n",
    }
    joined = join_modules(sources, "main.js")
    assert joined.startswith('import { x } from "./x.js?v=@version@";\n')
    assert joined.index("const b") < joined.index("function a") < joined.index("a(x);")
    assert "export" not in joined
    assert "./a.js" not in joined


IMPORTS_A = 'import { a } from "./a.js";\n'
A = "export const a = 1;\n"


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ({"main.js": f"{IMPORTS_A}const b = 1;\n", "a.js": f"const b = 2;\n{A}"}, "both declare b"),
        ({"main.js": IMPORTS_A, "a.js": "const a = 1;\n"}, "does not export"),
        ({"main.js": 'import { a as b } from "./a.js";\n', "a.js": A}, "does not export"),
        ({"main.js": IMPORTS_A, "a.js": f'import {{ m }} from "./main.js";\n{A}'}, "circle"),
        ({"main.js": 'import a from "./a.js";\n', "a.js": A}, "import a from"),
        ({"main.js": "export default 1;\n"}, "export default"),
        ({"main.js": 'import * as a from "./x.js";\n'}, r"import \* as a"),
    ],
)
def test_what_would_not_survive_is_refused(sources: dict[str, str], message: str) -> None:
    with pytest.raises(CanNotBeJoined, match=message):
        join_modules(sources, "main.js")
