using System.Text.Json;
using System.Text.Json.Serialization;
using Shop.Contracts;
using Shop.Payments.TryingRules;

namespace Shop.Payments;

/// <summary>Source-generated JSON of what Payments stores and of its operators' routes.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, UseStringEnumConverter = true)]
[JsonSerializable(typeof(IReadOnlyList<FiredRule>))]
[JsonSerializable(typeof(DifferentDecision))]
[JsonSerializable(typeof(ComparisonReport))]
internal sealed partial class PaymentsJson : JsonSerializerContext;
