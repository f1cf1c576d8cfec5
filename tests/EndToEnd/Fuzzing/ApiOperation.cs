using System.Text.Json.Nodes;

namespace Shop.EndToEnd.Fuzzing;

/// <summary>An operation of the shop's OpenAPI document.</summary>
/// <param name="Method">In capitals.</param>
/// <param name="Path">With its parameters in braces.</param>
/// <param name="Parameters">Name, where it goes (<c>path</c>, <c>query</c>, <c>header</c>) and schema of each, and whether a request must have it.</param>
/// <param name="Body">The schema of the body; null where it takes none.</param>
/// <param name="Example">The body that the document shows.</param>
/// <param name="Statuses">What it answers.</param>
public sealed record ApiOperation(string Method, string Path, IReadOnlyList<(string Name, string In, JsonObject Schema, bool Required)> Parameters, JsonObject? Body, JsonNode? Example,
    IReadOnlySet<int> Statuses)
{
    /// <summary>Every operation of the document.</summary>
    public static IReadOnlyList<ApiOperation> Of(JsonObject document)
    {
        var operations = new List<ApiOperation>();
        foreach (var (path, methods) in document["paths"]!.AsObject())
        {
            foreach (var (method, operation) in methods!.AsObject().Where(member => member.Value is JsonObject && member.Key != "parameters"))
            {
                var content = operation!["requestBody"]?["content"]?.AsObject().FirstOrDefault().Value;
                var parameters = operation["parameters"]?.AsArray().Select(parameter => (
                    parameter!["name"]!.GetValue<string>(), parameter["in"]!.GetValue<string>(), parameter["schema"]?.AsObject() ?? [],
                    parameter["required"]?.GetValue<bool>() == true)).ToList();
                operations.Add(new(method.ToUpperInvariant(), path, parameters ?? [], content?["schema"]?.AsObject(), content?["example"],
                    operation["responses"]!.AsObject().Select(response => int.TryParse(response.Key, out var status) ? status : 0).ToHashSet()));
            }
        }
        return operations;
    }
}
