"""JSON values as Hypothesis makes them: without floats, with every sign a JSON text can hold."""

from typing import Any

from hypothesis import strategies as st

from holdfast.domain.event import Facts, Said, Words

signs = st.characters() | st.characters(categories=["Cs", "Cc"]) | st.sampled_from('"\\/\x7f\u2028\u2029\ufeff😀')
"""Any code point, and often a lone surrogate, a control character or one that JSON treats in its own way."""

raw_texts = st.text(signs, max_size=40)
integers = st.integers() | st.integers(-(1 << 70), 1 << 70)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | integers | raw_texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(raw_texts, inner, max_size=4),
    max_leaves=12,
)


def joined(text: str) -> str:
    """Make a text one that comes back from JSON: two surrogates side by side are one sign there."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


texts = raw_texts.map(joined)
numbers = st.integers(-(1 << 63), (1 << 63) - 1)
saids = st.builds(
    Said, type=texts, user_id=numbers, chat_id=numbers, update_id=numbers, date=numbers, text=texts, name=texts
)
facts = st.builds(Facts, flow=texts, flow_version=numbers, rule=texts, language=texts, basis=st.tuples(texts))
long_texts = st.builds(lambda text, times: text * times, texts, st.integers(1, 200)).map(joined)
words = st.builds(
    Words,
    said=st.none() | saids,
    value=long_texts,
    complaint=texts,
    prefill=st.dictionaries(texts, texts, max_size=3),
)
