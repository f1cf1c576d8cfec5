using System.Text.Json;
using System.Text.Json.Serialization;

namespace Shop.Payments.ScreeningPayments;

/// <summary>
/// Rules as they are stored. What a set from before does not have, a rule or a setting, is as it is delivered: so they are not read by generated code, which
/// gives a property that may only be initialised its type's default where it is missing.
/// </summary>
public static class StoredRuleSet
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, RespectNullableAnnotations = true };

    /// <summary>Rules, as they are stored.</summary>
    public static string Write(RuleSet rules) => JsonSerializer.Serialize(rules, Json);

    /// <summary>Reads what <see cref="Write"/> has written, in this version or an older one.</summary>
    /// <exception cref="JsonException">It is of a later version.</exception>
    public static RuleSet Read(string rules) => JsonSerializer.Deserialize<RuleSet>(rules, Json) ?? throw new JsonException("The rules are null");
}
