using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Shop.ServiceDefaults;

/// <summary>Collects what is wrong with a request, by field, and ends in one 400 that names every field.</summary>
/// <example><code>
/// var errors = new ValidationErrors();
/// if (line.Quantity is &lt; 1 or &gt; 1000) errors.Add($"lines[{i}].quantity", "Must be 1 to 1000.");
/// if (errors.Any) return errors.ToProblem();
/// </code></example>
public sealed class ValidationErrors
{
    private readonly Dictionary<string, List<string>> _errors = [];

    /// <summary>Whether anything was found.</summary>
    public bool Any => _errors.Count > 0;

    /// <summary>Adds a finding.</summary>
    /// <param name="field">The camelCase JSON path (<c>lines[0].quantity</c>), query parameter or header.</param>
    /// <param name="message">What would be right, for a person.</param>
    public void Add(string field, string message)
    {
        if (!_errors.TryGetValue(field, out var messages))
            _errors[field] = messages = [];
        messages.Add(message);
    }

    /// <summary>The 400 ProblemDetails with <c>errors</c>.</summary>
    public ValidationProblem ToProblem() =>
        TypedResults.ValidationProblem(_errors.ToDictionary(error => error.Key, error => error.Value.ToArray()));
}
