namespace Shop.KafkaBroker.Tests;

/// <summary>Whatever is done to the files of a log, the broker starts, or says which file is damaged; each read ends, and gives at an offset what was written there, or an error.</summary>
public sealed class DamageFuzzTests : DiskTests
{
    private const int Seed = 20_260_501, Count = 900, Rounds = 150;

    private static readonly Dictionary<string, string> Segments = new() { ["segment.bytes"] = "30000" };

    [Long]
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Nothing_is_served_at_another_offset_and_nobody_hangs(bool clean)
    {
        var log = Open("events", Segments);
        for (var i = 0; i < Count; i += 1 + i % 3)
            log.Append(Batches.Build([.. Enumerable.Range(i, 1 + i % 3).Select(offset => ((string?)"key", (string?)$"{offset}"))]));
        var (written, end) = (Batches.ReadAll(log), log.NextOffset);
        Append(Open("others"), 0, 10);
        if (clean)
            Close();
        else
            Kill();
        var files = Directory.GetFiles(DataPath, "*", SearchOption.AllDirectories).Where(file => file.Contains($"{Path.DirectorySeparatorChar}events-", StringComparison.Ordinal))
            .ToDictionary(file => file, File.ReadAllBytes);
        var (random, last) = (new Random(Seed), LogsOf("events")[^1]);
        var (refused, damaged, lost) = (0, 0, 0);
        for (var round = 0; round < Rounds; round++)
        {
            var what = $"round {round}: {Damage(files, random)}";
            try
            {
                OpenBroker();
            }
            catch (InvalidDataException refusal)
            {
                Assert.Contains(last, refusal.Message, StringComparison.Ordinal);
                refused++; // a whole batch that is not in its place ends what a crash left: where that log ended is for a person to say
                Restore(files);
                continue;
            }
            await Task.Run(() =>
            {
                var found = ReadEverywhere(Broker.FindLog("events", 0)!, written, what);
                damaged += found.Errors > 0 ? 1 : 0;
                lost += found.Records < written.Count ? 1 : 0;
                Assert.Equal(10, Batches.ReadAll(Broker.FindLog("others", 0)!).Count);
            }, TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(5), TestContext.Current.CancellationToken);
            Close();
            Restore(files);
        }

        // how often a start is refused depends on which bits fell over: it may be none, and whoever looks at the test sees how many
        TestContext.Current.TestOutputHelper?.WriteLine($"{refused} of {Rounds} starts were refused, {damaged} met an error and {lost} lost records");
        Assert.True(damaged > Rounds / 10 && lost > Rounds / 4, $"{damaged} met an error and {lost} lost records: the damage does not try much");
        Assert.InRange(refused, 0, clean ? Rounds / 10 : 0);
        Assert.Equal(Count, end);
    }

    /// <summary>Reads on from every offset, to its end or the first error; only what its checksum vouches for counts.</summary>
    private static (int Records, int Errors) ReadEverywhere(PartitionLog log, List<(long Offset, string? Key, string? Value)> written, string what)
    {
        var (seen, errors) = (new HashSet<long>(), 0);
        for (var offset = log.LogStartOffset; offset < log.NextOffset; offset++)
        {
            using var output = new ResponseWriter();
            var result = log.Read(offset, 4000, oneBatchAtLeast: true, output);
            Assert.True(result.Error is ErrorCode.None or ErrorCode.CorruptMessage, $"{what}: error {result.Error} at {offset}");
            errors += result.Error == ErrorCode.None ? 0 : 1;
            for (var rest = output.Written.Span; rest.Length > 0; rest = rest[RecordBatch.Size(rest)..])
            {
                var batch = rest[..RecordBatch.Size(rest)];
                if (!RecordBatch.IsIntact(batch))
                    continue;
                foreach (var record in Batches.Read(batch))
                {
                    Assert.True(written[(int)record.Offset] == record, $"{what}: {record} is none of what was written");
                    seen.Add(record.Offset);
                }
            }
        }
        return (seen.Count, errors);
    }

    private static void Restore(Dictionary<string, byte[]> files)
    {
        var directory = Path.GetDirectoryName(files.Keys.First())!;
        foreach (var file in Directory.GetFiles(directory).Except(files.Keys))
            File.Delete(file);
        foreach (var (file, content) in files)
            File.WriteAllBytes(file, content);
    }

    /// <summary>Changes, cuts, lengthens or removes some of the files; only what no checksum covers and nobody can notice, the leader epochs, stays.</summary>
    private static string Damage(Dictionary<string, byte[]> files, Random random)
    {
        var done = new List<string>();
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            var file = files.Keys.Order().ElementAt(random.Next(files.Count));
            if (!File.Exists(file))
                continue;
            var content = File.ReadAllBytes(file);
            var (name, position) = (Path.GetFileName(file), content.Length == 0 ? 0 : random.Next(content.Length));
            switch (random.Next(name.EndsWith(".log", StringComparison.Ordinal) ? 4 : 5))
            {
                case 0:
                    content = content[..position];
                    done.Add($"{name} cut at {position}");
                    break;
                case 1:
                    content = [.. content, .. new byte[random.Next(1, 100)]];
                    done.Add($"{name} lengthened");
                    break;
                case 4:
                    File.Delete(file);
                    done.Add($"{name} deleted");
                    continue;
                default:
                    var header = name.EndsWith(".log", StringComparison.Ordinal) && random.Next(2) == 0 ? HeaderAt(files[file], position) + random.Next(RecordBatch.HeaderSize) : position;
                    if (header >= content.Length)
                        continue;
                    content[header] ^= (byte)(1 << random.Next(8));
                    done.Add($"a bit of {name} at {header}");
                    break;
            }
            File.WriteAllBytes(file, content);
        }
        return string.Join(", ", done);
    }

    /// <summary>The first byte of the batch that a position is in.</summary>
    private static int HeaderAt(byte[] log, int position)
    {
        var start = 0;
        while (start + RecordBatch.Size(log.AsSpan(start)) <= position)
            start += RecordBatch.Size(log.AsSpan(start));
        return start;
    }
}
