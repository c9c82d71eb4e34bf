"""How deep the shallowest value of a schema nests, so that recursive schemas come to an end."""

from __future__ import annotations

from llmsim.schema.document import Document, Json, Schema, kinds_to_try, limit, prefix_of, rest_of

ENDLESS = 48


class Heights:
    """Answers for the schemas of one document, remembered."""

    __slots__ = ("_document", "_known")

    def __init__(self, document: Document) -> None:
        self._document = document
        # The schema is kept beside its answer: an id is only its own while it lives.
        self._known: dict[tuple[int, int], tuple[Schema, bool]] = {}

    def of(self, schema: Schema) -> int:
        """The depth of the shallowest value: 0 for a scalar or an empty container, ENDLESS where there is none."""
        return next((depth for depth in range(ENDLESS) if self.fits(schema, depth)), ENDLESS)

    def fits(self, schema: Schema, depth: int) -> bool:
        """Whether some value of the schema nests at most this deep."""
        if isinstance(schema, bool):
            return schema
        key = (id(schema), depth)
        if key not in self._known:
            self._document.spend()
            # A schema that leads back to itself at the same depth gets no shallower by that.
            self._known[key] = (schema, False)
            self._known[key] = (schema, self._fits(schema, depth))
        return self._known[key][1]

    def _fits(self, schema: Json, depth: int) -> bool:
        if "const" in schema or "enum" in schema or schema.get("nullable") is True:
            return True
        ref = schema.get("$ref", schema.get("$dynamicRef"))
        if isinstance(ref, str):
            target = self._document.resolve(ref)
            if target is None or not self.fits(target, depth):
                return False
        if not all(self.fits(one, depth) for one in schema.get("allOf", ())):
            return False
        for key in ("anyOf", "oneOf"):
            if key in schema and not any(self.fits(one, depth) for one in schema[key]):
                return False
        kinds = kinds_to_try([schema])
        if "type" not in schema:
            kinds = kinds[:1]
        return any(self._kind_fits(kind, schema, depth) for kind in kinds)

    def _kind_fits(self, kind: str, schema: Json, depth: int) -> bool:
        if kind == "object":
            needed = [schema.get("properties", {}).get(name, True) for name in schema.get("required", ())]
            return not needed or (depth > 0 and all(self.fits(one, depth - 1) for one in needed))
        if kind == "array":
            least = limit(schema, "minItems") or 0
            prefix = list(prefix_of(schema))[:least]
            needed = [*prefix, rest_of(schema)] if least > len(prefix) else prefix
            return not needed or (depth > 0 and all(self.fits(one, depth - 1) for one in needed))
        return True
