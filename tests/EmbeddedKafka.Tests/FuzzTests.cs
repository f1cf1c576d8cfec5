using System.Net.Sockets;

namespace Shop.KafkaBroker.Tests;

/// <summary>By itself, because it measures the process's memory.</summary>
[CollectionDefinition(DisableParallelization = true)]
public sealed class MeasuringMemory;

[Collection<MeasuringMemory>]
public sealed class FuzzTests
{
    private const int Seed = 20_260_101;

    /// <summary>Frames that the broker waits with, for more bytes or for other members, cost time: many clients share them.</summary>
    private const int ConcurrentClients = 32;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>How many frames are sent; SHOP_KAFKA_FRAMES changes it.</summary>
    private static int Frames => int.TryParse(Environment.GetEnvironmentVariable("SHOP_KAFKA_FRAMES"), out var frames) ? frames : 100_000;

    [Fact]
    public async Task Hostile_frames_close_their_own_connection_and_touch_nothing_else()
    {
        await using var kafka = await EmbeddedKafka.StartAsync(new() { MaxPartitions = 200, MaxGroups = 200 }, Cancelled);
        using var producer = Clients.Producer(kafka.BootstrapServers);
        await producer.ProduceAsync("kept-elsewhere", new() { Value = "0" }, Cancelled);
        await SendAsync(kafka.BootstrapServers, new(Seed), Frames / 10);
        var before = GC.GetTotalMemory(forceFullCollection: true);

        var (answered, closed, waiting) = await SendAsync(kafka.BootstrapServers, new(Seed + 1), Frames - Frames / 10);
        var after = GC.GetTotalMemory(forceFullCollection: true);

        TestContext.Current.SendDiagnosticMessage($"{answered} frames answered, {closed} connections closed, {waiting} left waiting; memory {before >> 20} MiB, then {after >> 20} MiB");
        // usually more than a quarter each; where the broker is slow, an answer comes when nobody waits for it any more
        Assert.True(answered > Frames / 50 && closed > Frames / 50, $"{answered} answered, {closed} closed: the frames do not try much");
        Assert.True(after - before < 64 << 20, $"memory grew by {(after - before) >> 20} MiB");
        Assert.Equal(1, (await producer.ProduceAsync("kept-elsewhere", new() { Value = "1" }, Cancelled)).Offset.Value);
        Assert.Equal(["0", "1"], Clients.ReadAll(kafka.BootstrapServers, "kept-elsewhere", 2).Select(record => record.Message.Value));
    }

    private static async Task<(int Answered, int Closed, int Waiting)> SendAsync(string bootstrapServers, Random random, int frames)
    {
        var templates = Templates();
        var sent = await Task.WhenAll(Enumerable.Range(0, ConcurrentClients)
            .Select(_ => random.Next()).ToList() // each client its own random numbers, the same ones every time
            .Select(seed => Task.Run(() => SendAsync(bootstrapServers, templates, new Random(seed), frames / ConcurrentClients))));
        return (sent.Sum(counts => counts.Answered), sent.Sum(counts => counts.Closed), sent.Sum(counts => counts.Waiting));
    }

    private static async Task<(int Answered, int Closed, int Waiting)> SendAsync(string bootstrapServers, List<byte[]> templates, Random random, int frames)
    {
        var (answered, closed, waiting) = (0, 0, 0);
        WireClient? client = null;
        for (var i = 0; i < frames; i++)
        {
            client ??= await WireClient.ConnectAsync(bootstrapServers);
            try
            {
                await client.SendBytesAsync(Mutate(templates[random.Next(templates.Count)], random));
                if (await client.ReceiveFrameAsync(TimeSpan.FromMilliseconds(50)) is not null)
                {
                    answered++;
                    continue;
                }
                closed++;
            }
            catch (OperationCanceledException)
            {
                waiting++; // for the rest of a frame, for records, for other members, or for nothing (acks=0)
            }
            catch (Exception broken) when (broken is IOException or SocketException)
            {
                closed++;
            }
            await client.DisposeAsync();
            client = null;
        }
        if (client is not null)
            await client.DisposeAsync();
        return (answered, closed, waiting);
    }

    private static byte[] Mutate(byte[] template, Random random)
    {
        if (random.Next(20) == 0)
        {
            var noise = new byte[random.Next(4, 200)];
            random.NextBytes(noise);
            noise.AsSpan(0, 2).Clear();
            return noise;
        }
        var frame = (byte[])template.Clone();
        for (var changes = random.Next(1, 6); changes > 0; changes--)
        {
            // the length stays right mostly, or nothing behind it would ever be read
            var position = random.Next(random.Next(50) == 0 ? 0 : 4, frame.Length);
            frame[position] = random.Next(4) switch
            {
                0 => 0xff,
                1 => 0x7f,
                2 => 0,
                _ => (byte)random.Next(256),
            };
        }
        return frame;
    }

    /// <summary>A valid request of every kind, in its highest and in its lowest version.</summary>
    private static List<byte[]> Templates()
    {
        var frames = new List<byte[]>();
        foreach (var api in ApiTable.Apis.Values)
        {
            foreach (var version in new[] { api.MaxVersion, api.MinVersion })
            {
                frames.Add(WireClient.Frame(api.Key, version, w =>
                {
                    // the same bytes for all: strings, lengths and numbers that most requests find something in
                    if (api.Key == ApiKey.Produce)
                        Produce(w, version);
                    else
                        Body(w);
                }));
            }
        }
        frames.Add(WireClient.Frame(ApiKey.Fetch, 11, w =>
        {
            w.Int32(-1);
            w.Int32(10);
            w.Int32(1);
            w.Int32(1 << 20);
            w.Int8(0);
            w.Int32(0);
            w.Int32(-1);
            w.ArrayLength(1);
            w.String("fuzz");
            w.ArrayLength(1);
            w.Int32(0);
            w.Int32(-1);
            w.Int64(0);
            w.Int64(-1);
            w.Int32(1 << 20);
            w.ArrayLength(0);
            w.String("");
        }));
        frames.Add(WireClient.Frame(ApiKey.Metadata, 8, w =>
        {
            w.Array(["fuzz"], (w, name) => w.String(name));
            w.Boolean(true);
            w.Boolean(false);
            w.Boolean(false);
        }));
        frames.Add(WireClient.Frame(ApiKey.JoinGroup, 4, w =>
        {
            w.String("fuzz");
            w.Int32(6000);
            w.Int32(6000);
            w.String("");
            w.String("consumer");
            w.ArrayLength(1);
            w.String("range");
            w.Bytes("subscription"u8);
        }));
        frames.Add(WireClient.Frame(ApiKey.CreateTopics, 4, w =>
        {
            w.ArrayLength(1);
            w.String("fuzz");
            w.Int32(1);
            w.Int16(1);
            w.ArrayLength(0);
            w.Array(["retention.ms"], (w, name) =>
            {
                w.String(name);
                w.String("1000");
            });
            w.Int32(1000);
            w.Boolean(false);
        }));
        frames.Add(WireClient.Frame(ApiKey.ListOffsets, 5, w =>
        {
            w.Int32(-1);
            w.Int8(0);
            w.ArrayLength(1);
            w.String("fuzz");
            w.ArrayLength(1);
            w.Int32(0);
            w.Int32(-1);
            w.Int64(1_700_000_000_000);
        }));
        return frames;
    }

    private static void Body(ResponseWriter w)
    {
        w.ArrayLength(1);
        w.String("fuzz");
        w.ArrayLength(1);
        w.Int32(0);
        w.Int64(0);
        w.String("fuzz");
        w.Int64(1);
        w.Int64(-1);
    }

    private static void Produce(ResponseWriter w, short version)
    {
        if (version >= 3)
            w.String(null);
        w.Int16(-1);
        w.Int32(1000);
        w.ArrayLength(1);
        w.String("fuzz");
        w.ArrayLength(1);
        w.Int32(0);
        w.Bytes(Batches.Build("value"));
    }
}
