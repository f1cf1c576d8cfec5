using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Yarp.ReverseProxy.Model;

namespace Shop.Gateway.ShowingFlow;

/// <summary>What a service says of its messaging: <c>GET /api/ops/{service}/flow</c>.</summary>
internal sealed record ServiceFlow(bool BrokerAnswers, OutboxState Outbox, long DeadLetters, long Parked, IReadOnlyList<TopicFlow>? Topics, IReadOnlyList<GroupFlow> Groups);

/// <summary>A topic that the service publishes to.</summary>
internal sealed record TopicFlow(string Topic, int Partitions, long Produced, long LastMinute);

/// <summary>A consumer group of the service.</summary>
internal sealed record GroupFlow(string Group, long DeadLetters, long Parked, IReadOnlyList<ConsumedTopicState> Topics);

/// <summary>What an instance says of its health: <c>GET /health/ready</c>.</summary>
internal sealed record HealthAnswer(string Status, Dictionary<string, string> Checks);

/// <summary>Asks services, with the token of who asks the gateway.</summary>
internal sealed class ServiceAnswers(IHttpClientFactory clients)
{
    /// <summary>Longer than a service waits for the broker.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(4);

    /// <summary>What an instance says of its health; null where it does not answer.</summary>
    public async Task<HealthAnswer?> HealthAsync(DestinationState instance, CancellationToken cancellationToken)
    {
        // an instance that is not ready says why, with 503
        using var response = await AskAsync(instance, "/health/ready", null, cancellationToken);
        return response is null ? null
            : await ReadAsync(response, FlowJson.Default.HealthAnswer, cancellationToken) ?? new(response.IsSuccessStatusCode ? "Healthy" : "Unhealthy", []);
    }

    /// <summary>The answer of the first instance that has one; null where none has.</summary>
    public async Task<T?> AnyAsync<T>(ClusterState service, string path, AuthenticationHeaderValue? caller, JsonTypeInfo<T> type,
        CancellationToken cancellationToken) where T : class
    {
        foreach (var instance in service.Destinations.Values)
        {
            using var response = await AskAsync(instance, path, caller, cancellationToken);
            if (response is { IsSuccessStatusCode: true } && await ReadAsync(response, type, cancellationToken) is { } answer)
                return answer;
        }
        return null;
    }

    private async Task<HttpResponseMessage?> AskAsync(DestinationState instance, string path, AuthenticationHeaderValue? caller, CancellationToken cancellationToken)
    {
        using var client = clients.CreateClient(nameof(ServiceAnswers));
        client.Timeout = Timeout;
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(new Uri(instance.Model.Config.Address), path));
        request.Headers.Authorization = caller;
        try
        {
            return await client.SendAsync(request, cancellationToken);
        }
        catch (Exception failure) when (failure is HttpRequestException || failure is OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            // away
            return null;
        }
    }

    private static async Task<T?> ReadAsync<T>(HttpResponseMessage response, JsonTypeInfo<T> type, CancellationToken cancellationToken) where T : class
    {
        try
        {
            return await response.Content.ReadFromJsonAsync(type, cancellationToken);
        }
        catch (JsonException)
        {
            // no answer of a service of ours
            return null;
        }
    }
}

/// <summary>A page of a service's list, of which only the number of items matters.</summary>
internal sealed record CountedPage(IReadOnlyList<JsonElement> Items);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(ServiceFlow))]
[JsonSerializable(typeof(HealthAnswer))]
[JsonSerializable(typeof(CountedPage))]
internal sealed partial class FlowJson : JsonSerializerContext;
