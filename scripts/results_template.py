"""The language of the templates in scripts/results, which scripts/results/README.md explains."""
import ast
import re
import shlex

ALLOWED = (ast.Expression, ast.BoolOp, ast.boolop, ast.BinOp, ast.operator, ast.UnaryOp, ast.unaryop, ast.IfExp,
           ast.Dict, ast.Set, ast.List, ast.Tuple, ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp,
           ast.comprehension, ast.Compare, ast.cmpop, ast.Call, ast.keyword, ast.Starred, ast.Constant, ast.Name,
           ast.expr_context, ast.Attribute, ast.Subscript, ast.Slice, ast.JoinedStr, ast.FormattedValue, ast.Lambda,
           ast.arguments, ast.arg)
PLACEHOLDER = re.compile(r"\{\{ (.+?) \}\}")
FORMAT = re.compile(r"(.*[^:]):([-+,]?[.\d]*[efgd])")
ASSIGNED = r"(\w+)(?:\[([^=]*)\])?"
DASH = "–"  # where there is no figure


class TemplateError(Exception):
    """What is wrong with a template, and where."""


class NotMeasured(Exception):
    """Why a section cannot be measured."""


def look_up(value, key, source):
    """A JSON key of a dictionary, or of every element of a list."""
    if isinstance(value, dict):
        if key not in value:
            raise TemplateError(f"no key {key!r} in `{source}`, which has: {', '.join(map(str, value))}")
        return value[key]
    if isinstance(value, (list, tuple)):
        return [look_up(element, key, source) for element in value]
    raise TemplateError(f"no key {key!r} in `{source}`, which is {value!r}")


def take(value, index, source):
    return look_up(value, index, source) if isinstance(value, dict) else value[index]


def form(value, spec="", between=" | "):
    """How a value stands in the text."""
    if isinstance(value, (list, tuple)):
        return between.join(form(element, spec) for element in value)
    if value is None:
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    return format(value, spec or ("g" if isinstance(value, float) else ""))


class Guard(ast.NodeTransformer):
    """Rejects what an expression may not contain, and turns attributes into keys."""

    def __init__(self, place):
        self.place = place
        self.loaded, self.bound = set(), set()

    def visit(self, node):
        if not isinstance(node, ALLOWED):
            raise TemplateError(f"{self.place}: {type(node).__name__} is not allowed in an expression")
        return super().visit(node)

    def visit_Name(self, node):
        if node.id.startswith("__"):
            raise TemplateError(f"{self.place}: {node.id} is not allowed in an expression")
        (self.bound if isinstance(node.ctx, ast.Store) else self.loaded).add(node.id)
        return node

    def visit_arg(self, node):
        self.bound.add(node.arg)
        return node

    def visit_Call(self, node):
        if not isinstance(node.func, ast.Name):
            raise TemplateError(f"{self.place}: `{ast.unparse(node.func)}` is no function of the vocabulary")
        return self.generic_visit(node)

    def called(self, name, *arguments):
        return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])

    def visit_Attribute(self, node):
        source = ast.Constant(ast.unparse(node.value))
        return self.called("__key", self.visit(node.value), ast.Constant(node.attr), source)

    def visit_Subscript(self, node):
        if isinstance(node.slice, ast.Slice):
            return self.generic_visit(node)
        source = ast.Constant(ast.unparse(node.value))
        return self.called("__item", self.visit(node.value), self.visit(node.slice), source)

    def visit_FormattedValue(self, node):
        spec = self.visit(node.format_spec) if node.format_spec else ast.Constant("")
        return ast.FormattedValue(self.called("__form", self.visit(node.value), spec), -1, None)


class Expression:
    """A compiled expression and the names it needs."""

    def __init__(self, text, place):
        self.place, self.text = place, text.strip()
        guard = Guard(place)
        try:
            tree = guard.visit(ast.parse(self.text, mode="eval"))
            self.code = compile(ast.fix_missing_locations(tree), place, "eval")
        except (SyntaxError, ValueError) as error:
            raise TemplateError(f"{place}: cannot read `{self.text}`: {error}") from None
        self.free = guard.loaded - guard.bound

    def value(self, names):
        try:
            return eval(self.code, names)  # of what Guard let pass
        except (TemplateError, ArithmeticError, LookupError, NameError, OSError, TypeError, ValueError) as error:
            raise TemplateError(f"{self.place}: `{self.text}`: {error}") from None


class Text:
    """Text with placeholders: an odd part is an expression and its format."""

    def __init__(self, text, place):
        self.parts = PLACEHOLDER.split(text)
        for i in range(1, len(self.parts), 2):
            formatted = FORMAT.fullmatch(self.parts[i])
            text, spec = formatted.groups() if formatted else (self.parts[i], "")
            self.parts[i] = Expression(text, place), spec
        self.expressions = [part[0] for part in self.parts[1::2]]

    def fill(self, names, shown=form):
        return "".join(shown(part[0].value(names), part[1]) if i % 2 else part for i, part in enumerate(self.parts))

    def words(self, names):
        """The words of a command: those of placeholders that are text are split too, elements of a list are not."""
        def shown(value, spec):
            return shlex.join(map(str, value)) if isinstance(value, (list, tuple)) else format(value, spec)
        return shlex.split(self.fill(names, shown))


class Template:
    """A parsed template: its steps, the names that it sets and those that it needs, and the commands that it runs."""

    def __init__(self, path):
        self.expressions, self.names, self.commands = [], set(), []
        self.lines = list(self.read(path))
        self.steps = self.block(())

    def read(self, path):
        """(place, line) of every logical line of a file and of those it includes."""
        lines, fenced = [], False
        for number, line in enumerate(path.read_text().splitlines(), 1):
            fenced ^= line.startswith("```")
            if line[:1] == " " and lines and not fenced:
                lines[-1][1] += " " + line.strip()
            else:
                lines.append([f"{path.parent.name}/{path.name}:{number}", line.rstrip()])
        for place, line in lines:
            included = re.fullmatch(r"% include (\S+)", line)
            if included:
                yield from self.read(path.parent / f"{included[1]}.inc")
            elif not line.startswith("%#"):
                yield place, line

    def expression(self, text, place):
        self.expressions.append(Expression(text, place))
        return self.expressions[-1]

    def text(self, text, place):
        result = Text(text, place)
        self.expressions += result.expressions
        return result

    def block(self, ends):
        """The steps up to a line that is one of `ends`, which it takes away and leaves in `self.end`."""
        steps, place = [], "template"
        while self.lines:
            place, line = self.lines.pop(0)
            self.end = line[1:].strip() if line.startswith("%") else ""
            if self.end in ("else", "end"):
                if self.end not in ends:
                    raise TemplateError(f"{place}: {line} without a beginning")
                return steps
            steps.append(self.directive(self.end, place) if self.end else self.read_text(line, place))
        if ends:
            raise TemplateError(f"{place}: a block without % end")
        return steps

    def directive(self, line, place):
        """What a line of a template does to a filler."""
        kind, _, rest = line.partition(" ")
        reader = getattr(self, f"read_{kind}", None)
        step = reader(rest.strip(), place) if reader else None
        if step is None:
            raise TemplateError(f"{place}: cannot read `% {line}`")
        return step

    def read_text(self, line, place):
        text = self.text(line, place)
        return lambda filler: filler.lines.append(text.fill(filler.names))

    def assign(self, name, key, value, place):
        """Sets a name, NAME[KEY] or NAME[] to the value that a filler gives."""
        self.names.add(name)
        key_of = key and self.expression(key, place)

        def step(filler):
            new = value(filler)
            if key == "":
                filler.names.setdefault(name, []).append(new)
            elif key:
                filler.names.setdefault(name, {})[key_of.value(filler.names)] = new
            else:
                filler.names[name] = new
        return step

    def read_set(self, rest, place):
        match = re.fullmatch(ASSIGNED + r" = (.+)", rest)
        if match:
            expression = self.expression(match[3], place)
            return self.assign(match[1], match[2], lambda filler: expression.value(filler.names), place)

    def read_define(self, rest, place):
        match = re.fullmatch(r"(\w+)\((.*?)\) = (.+)", rest)
        return match and self.read_set(f"{match[1]} = lambda {match[2]}: {match[3]}", place)

    def read_run(self, rest, place):
        match = re.fullmatch(ASSIGNED + r"(?: \(((?:cold|once|4|5| )*)\))? = (.+)", rest)
        if match:
            words, how = self.text(match[4], place), (match[3] or "").split()
            self.commands.append((place, match[4]))
            accepted = (0, *(int(word) for word in how if word.isdigit()))
            return self.assign(match[1], match[2], lambda filler: filler.run(
                words.words(filler.names), accepted, "cold" in how, "once" in how), place)

    def read_for(self, rest, place):
        match = re.fullmatch(r"(.+?) in (.+)", rest)
        if match:
            names = re.findall(r"\w+", match[1])
            self.names.update(names)
            bound = ", ".join(f"{name!r}: {name}" for name in names)
            rounds, steps = self.expression(f"[{{{bound}}} for {match[1]} in {match[2]}]", place), self.block(("end",))

            def step(filler):
                for names in rounds.value(filler.names):
                    filler.names.update(names)
                    filler.follow(steps)
            return step

    def read_if(self, rest, place):
        condition, steps = self.expression(rest, place), self.block(("else", "end"))
        others = self.block(("end",)) if self.end == "else" else []
        return lambda filler: filler.follow(steps if condition.value(filler.names) else others)

    def read_table(self, rest, place):
        head = self.text(rest, place)
        return lambda filler: filler.table(head.fill(filler.names))

    def read_target(self, rest, place):
        parts = rest.split(" | ")
        if len(parts) == 4:
            what, target, measured = (self.text(part, place) for part in parts[:3])
            met = self.expression(parts[3], place)
            return lambda filler: filler.target(*(text.fill(filler.names) for text in (what, target, measured)),
                                                met.value(filler.names))

    def read_need(self, rest, place):
        condition, _, reason = rest.partition(" | ")
        needed = self.expression(condition, place)
        return (lambda filler: filler.need(needed.value(filler.names), reason)) if reason else None

    def check(self, vocabulary):
        """Rejects names that neither the vocabulary nor the template has."""
        for expression in self.expressions:
            for name in sorted(expression.free - self.names - set(vocabulary)):
                raise TemplateError(f"{expression.place}: unknown name {name!r} in `{expression.text}`")


class Filler:
    """Carries a template out: runs its commands and writes its lines."""

    def __init__(self, template, vocabulary, run):
        template.check(vocabulary)
        self.run = run  # run(words, accepted, cold, once) -> JSON object
        self.names = {**vocabulary, "__builtins__": {}, "__key": look_up, "__item": take, "__form": form}
        self.lines, self.missed = [], []
        try:
            self.follow(template.steps)
        except NotMeasured as reason:
            self.lines += ["", f"Not measured: {reason}."]

    def follow(self, steps):
        for step in steps:
            step(self)

    def table(self, head):
        self.lines += ["", f"| {head} |", "|" + "---|" * (head.count(" |") + 1)]

    def target(self, what, target, measured, met):
        self.lines.append(f"| {what} | {target} | {measured} | {'met' if met else '**missed**'} |")
        if not met:
            self.missed.append(what)

    def need(self, there, reason):
        if not there:
            raise NotMeasured(reason)

    def text(self):
        return re.sub(r"\n{3,}", "\n\n", "\n".join(self.lines)).strip("\n")
