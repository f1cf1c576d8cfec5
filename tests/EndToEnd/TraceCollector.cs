using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Shop.AppHost.Running;

namespace Shop.EndToEnd;

/// <summary>A span as a collector gets it.</summary>
public sealed record CollectedSpan(string Service, string TraceId, string SpanId, string ParentId, string Name, IReadOnlyDictionary<string, string> Attributes);

/// <summary>An OpenTelemetry collector that keeps the spans it is sent.</summary>
/// <remarks>Source: OTLP 1.3 over HTTP with binary protobuf, <c>opentelemetry/proto/trace/v1/trace.proto</c>; only the fields that are looked at.</remarks>
public sealed class TraceCollector : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly ConcurrentQueue<CollectedSpan> _spans = new();
    private readonly Task _serving;

    public TraceCollector()
    {
        Endpoint = $"http://127.0.0.1:{Ports.Free()}";
        _listener.Prefixes.Add(Endpoint + "/");
        _listener.Start();
        _serving = ServeAsync();
    }

    public string Endpoint { get; }

    public IReadOnlyCollection<CollectedSpan> Spans => _spans;

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _serving;
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
            using var body = new MemoryStream();
            await context.Request.InputStream.CopyToAsync(body);
            if (context.Request.Url!.AbsolutePath == "/v1/traces")
                Collect(body.ToArray());
            context.Response.ContentType = "application/x-protobuf";
            context.Response.Close();
        }
    }

    /// <summary>ExportTraceServiceRequest: resource_spans = 1 { resource = 1 { attributes = 1 }, scope_spans = 2 { spans = 2 } }.</summary>
    private void Collect(byte[] request)
    {
        foreach (var resourceSpans in Fields(request).Where(field => field.Number == 1))
        {
            var parts = Fields(resourceSpans.Value).ToList();
            var service = parts.Where(field => field.Number == 1).SelectMany(resource => Attributes(resource.Value, 1)).ToDictionary().GetValueOrDefault("service.name", "");
            foreach (var span in parts.Where(field => field.Number == 2).SelectMany(scope => Fields(scope.Value)).Where(field => field.Number == 2))
            {
                var fields = Fields(span.Value).ToLookup(field => field.Number, field => field.Value);
                _spans.Enqueue(new(service, Hex(1), Hex(2), Hex(4), Encoding.UTF8.GetString(fields[5].FirstOrDefault() ?? []), Attributes(span.Value, 9).ToDictionary()));

                string Hex(int number) => Convert.ToHexStringLower(fields[number].FirstOrDefault() ?? []);
            }
        }
    }

    /// <summary>KeyValue: key = 1, value = 2 { string_value = 1 }; other kinds of values are left out.</summary>
    private static IEnumerable<KeyValuePair<string, string>> Attributes(byte[] message, int number)
    {
        foreach (var attribute in Fields(message).Where(field => field.Number == number))
        {
            var pair = Fields(attribute.Value).ToLookup(field => field.Number, field => field.Value);
            if (pair[2].SelectMany(Fields).FirstOrDefault(field => field.Number == 1) is { Value: { } value })
                yield return new(Encoding.UTF8.GetString(pair[1].First()), Encoding.UTF8.GetString(value));
        }
    }

    /// <summary>The fields of a message that have a length; numbers are passed over.</summary>
    private static IEnumerable<(int Number, byte[] Value)> Fields(byte[] message)
    {
        for (var at = 0; at < message.Length;)
        {
            var tag = Varint(message, ref at);
            switch (tag & 7)
            {
                case 0: Varint(message, ref at); break;
                case 1: at += 8; break;
                case 5: at += 4; break;
                default:
                    var length = (int)Varint(message, ref at);
                    yield return ((int)(tag >> 3), message[at..(at + length)]);
                    at += length;
                    break;
            }
        }
    }

    private static ulong Varint(byte[] message, ref int at)
    {
        var value = 0UL;
        for (var shift = 0; ; shift += 7)
        {
            var next = message[at++];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
                return value;
        }
    }
}
