using System.Text.Json.Nodes;

namespace Shop.EndToEnd.Fuzzing;

/// <summary>What deviates from a document is found.</summary>
public sealed class AnswerSchemasTests
{
    private static readonly AnswerSchemas Schemas = new(JsonNode.Parse("""
        {
          "paths": { "/things": { "get": { "responses": {
            "200": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } } },
            "204": { "description": "No Content" },
            "400": { "content": { "application/problem+json": { "schema": { "type": "object", "properties": { "status": { "type": ["null", "integer"] } } } } } },
            "500": { "content": { "application/json": { "schema": { "type": "string", "contentEncoding": "base64" } } } } } } } },
          "components": { "schemas": {
            "Thing": {
              "required": ["id", "parts"], "type": "object",
              "properties": {
                "id": { "type": "string", "format": "uuid" }, "at": { "type": "string", "format": "date-time" }, "count": { "type": "integer", "format": "int32", "minimum": 0 },
                "kind": { "enum": ["big", "small"] }, "parts": { "type": "array", "items": { "$ref": "#/components/schemas/Thing/properties/kind" } },
                "inner": { "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/Thing" }] }, "labels": { "type": "object", "additionalProperties": { "type": "string" } },
                "anything": {}
              } } } }
        }
        """)!.AsObject());

    [Theory]
    [InlineData("""{"id":"0199c7a2-0000-7000-8000-000000000000","parts":[]}""")]
    [InlineData("""{"id":"0199c7a2-0000-7000-8000-000000000000","parts":["big","small"],"at":"2026-11-30T10:00:00.123456Z","count":3.0,"inner":null,"labels":{"a":"b"},"anything":[{"b":1}]}""")]
    [InlineData("""{"id":"0199c7a2-0000-7000-8000-000000000000","parts":[],"inner":{"id":"0199c7a2-0000-7000-8000-000000000000","parts":["small"]}}""")]
    public void What_is_as_it_is_described_is_no_deviation(string body) => Assert.Null(Schemas.Check("/things", "GET", 200, "application/json", body));

    [Theory]
    [InlineData("""{"parts":[]}""", "$ has no id")]
    [InlineData("""{"id":"x","parts":[]}""", "$.id is \"x\", not of the format uuid")]
    [InlineData("""{"id":null,"parts":[]}""", "$.id is null, not \"string\"")]
    [InlineData("""{"id":"0199c7a2-0000-7000-8000-000000000000","parts":["big","large"]}""", "$.parts[1] is \"large\", not one of")]
    [InlineData("""{"id":"0199c7a2-0000-7000-8000-000000000000","parts":{}}""", "$.parts is {}, not \"array\"")]
    [InlineData("""{"id":"0199c7a2-0000-7000-8000-000000000000","parts":[],"at":"2026-11-30"}""", "not of the format date-time")]
    [InlineData("""{"id":"0199c7a2-0000-7000-8000-000000000000","parts":[],"count":1.5}""", "$.count is 1.5, not \"integer\"")]
    [InlineData("""{"id":"0199c7a2-0000-7000-8000-000000000000","parts":[],"count":9999999999}""", "not of the format int32")]
    [InlineData("""{"id":"0199c7a2-0000-7000-8000-000000000000","parts":[],"count":-1}""", "below 0")]
    [InlineData("""{"id":"0199c7a2-0000-7000-8000-000000000000","parts":[],"inner":{}}""", "$.inner is {}, not \"null\", and $.inner has no id")]
    [InlineData("""{"id":"0199c7a2-0000-7000-8000-000000000000","parts":[],"labels":{"a":1}}""", "$.labels.a is 1, not \"string\"")]
    [InlineData("""{"id":"0199c7a2-0000-7000-8000-000000000000","parts":[],"secret":1}""", "$.secret is not described")]
    [InlineData("[]", "$ is [], not \"object\"")]
    [InlineData("", "no JSON")]
    public void What_is_not_as_it_is_described_is_told_with_its_place(string body, string deviation) =>
        Assert.Contains(deviation, Schemas.Check("/things", "GET", 200, "application/json", body)!, StringComparison.Ordinal);

    [Theory]
    [InlineData(200, "text/plain", "hello", "text/plain, where application/json is described")]
    [InlineData(200, null, "", "no body, where application/json is described")]
    [InlineData(204, "application/json", "{}", "a body, where none is described")]
    [InlineData(204, null, "", null)]
    [InlineData(400, "application/problem+json", """{"status":400,"more":"than is described"}""", null)]
    [InlineData(400, "application/problem+json", """{"status":"400"}""", "$.status is \"400\", not")]
    public void What_kind_of_body_it_is_counts_and_a_problem_may_say_more(int status, string? mediaType, string body, string? deviation)
    {
        var found = Schemas.Check("/things", "GET", status, mediaType, body);
        if (deviation is null)
            Assert.Null(found);
        else
            Assert.StartsWith(deviation, found, StringComparison.Ordinal);
    }

    [Fact]
    public void A_keyword_that_is_not_known_is_not_passed_over() =>
        Assert.Throws<NotSupportedException>(() => Schemas.Check("/things", "GET", 500, "application/json", "\"x\""));
}
