using System.Text.Json;
using System.Text.Json.Serialization;

namespace Shop.PaymentProvider;

/// <summary>Generated serialization of what goes over HTTP and into the ledger.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(PaymentRequest))]
[JsonSerializable(typeof(PaymentResponse))]
[JsonSerializable(typeof(LedgerPage))]
[JsonSerializable(typeof(PaceRequest))]
internal sealed partial class ProviderJson : JsonSerializerContext;
