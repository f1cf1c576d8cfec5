using System.Reflection;
using Microsoft.Extensions.Options;
using Shop.Payments.ScreeningPayments.Rules;
using Shop.ServiceDefaults;

namespace Shop.Payments.ScreeningPayments;

/// <summary>What rules may be set to.</summary>
internal sealed class RuleSetValidation : IValidateOptions<RuleSet>
{
    private const double MostPoints = 1_000, Most = 10_000;

    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, RuleSet options) =>
        Errors(options).Select(error => $"Screening:{error.Field}: {error.Message}").ToList() is { Count: > 0 } errors ? ValidateOptionsResult.Fail(errors) : ValidateOptionsResult.Success;

    /// <summary>Adds what is wrong with rules that were sent.</summary>
    /// <param name="errors">Where to.</param>
    /// <param name="rules">The rules.</param>
    /// <param name="path">Where they are in the request, with its dot.</param>
    public static void AddTo(ValidationErrors errors, RuleSet rules, string path = "")
    {
        foreach (var (field, message) in Errors(rules))
            errors.Add(path + field, message);
    }

    /// <summary>What is wrong, by field, as JSON names it.</summary>
    private static IEnumerable<(string Field, string Message)> Errors(RuleSet rules)
    {
        if (!(rules.HoldAt > 0 && rules.HoldAt < MostPoints))
            yield return (Json(nameof(rules.HoldAt)), $"Must be above 0 and below {MostPoints}.");
        if (!(rules.DeclineAt > rules.HoldAt && rules.DeclineAt <= MostPoints))
            yield return (Json(nameof(rules.DeclineAt)), $"Must be above holdAt and at most {MostPoints}.");
        if (!(rules.TaintAt >= 0 && rules.TaintAt <= MostPoints))
            yield return (Json(nameof(rules.TaintAt)), $"Must be 0 to {MostPoints}.");
        foreach (var property in typeof(RuleSet).GetProperties().Where(property => property.PropertyType.IsAssignableTo(typeof(Rule))))
        {
            if (property.GetValue(rules) is not Rule rule)
            {
                yield return (Json(property.Name), "Must not be null.");
                continue;
            }
            foreach (var setting in rule.GetType().GetProperties(BindingFlags.Instance | BindingFlags.Public).Where(setting => setting.PropertyType == typeof(double)))
            {
                var value = (double)setting.GetValue(rule)!;
                var (least, most) = setting.Name == nameof(Rule.Points) ? (-MostPoints, MostPoints) : (0, Most);
                if (!(value >= least && value <= most))
                    yield return ($"{Json(property.Name)}.{Json(setting.Name)}", $"Must be {least} to {most}.");
            }
        }
    }

    private static string Json(string name) => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(name);
}
