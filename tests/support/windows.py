"""A command as cmd.exe and then the C runtime of Windows parse it, for tests that run without Windows.

To cmd.exe a backslash means nothing: every quotation mark toggles quoting, and outside quotes a caret escapes
the next character (at the end of a line, the line break). What it passes on is one line, which
the program's runtime splits: learn.microsoft.com/cpp/c-language/parsing-c-command-line-arguments
"""

import re

SPECIAL = "&|<>"
# Backslashes only matter before a quotation mark.
PLAIN = re.compile(r'[ \t]+|(\\*)("|[^\\" \t]+|)')
QUOTED = re.compile(r'(\\*)("|[^\\"]+|)')


def cmd_arguments(text: str) -> list[str]:
    """The arguments of the one command in a batch file, its program first.

    Raises:
        ValueError: cmd.exe would do something else than run one program with these arguments.
    """
    lines = [line for line in text.splitlines() if line.strip() and not line.lower().startswith("rem ")]
    return split("".join(passed_on("\n".join(lines))))


def passed_on(text: str) -> str:
    """The line that cmd.exe passes to the program."""
    if "%" in text.replace("%%", ""):
        raise ValueError("cmd.exe expands %: in a batch file %% stands for it")
    out, quoted, rest = "", False, iter(text.replace("%%", "%"))
    for character in rest:
        if character == '"':
            quoted = not quoted
        elif character == "\n":
            raise ValueError(f"cmd.exe takes what follows for another command: {out!r} ends here")
        elif character == "^" and not quoted:
            following = next(rest, "")
            # the break is dropped, and the next line's first character is taken literally
            out += next(rest, "") if following == "\n" else following
            continue
        elif character in SPECIAL and not quoted:
            raise ValueError(
                f"cmd.exe acts on {character} after {out!r}: a caret before it takes its meaning"
            )
        out += character
    return out


def split(line: str) -> list[str]:
    """The arguments that the C runtime makes of a line."""
    words: list[str] = []
    word: str | None = None
    quoted, at = False, 0
    while at < len(line):
        part = (QUOTED if quoted else PLAIN).match(line, at)
        assert part, line[at:]
        at = part.end()
        if part[1] is None:  # blanks
            words += [] if word is None else [word]
            word = None
        elif part[2] != '"':
            word = (word or "") + part[0]
        else:
            word = (word or "") + "\\" * (len(part[1]) // 2)
            twice = quoted and line.startswith(
                '"', at
            )  # inside quotes, two marks stand for one, and quoting continues
            if len(part[1]) % 2:
                word += '"'
            elif twice:
                word, at = word + '"', at + 1
            else:
                quoted = not quoted
    return words if word is None else [*words, word]
