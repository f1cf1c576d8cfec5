using System.Globalization;
using Amazon.S3;
using Amazon.S3.Model;
using Microsoft.Extensions.Options;
using Npgsql;
using Shop.Contracts.Warehouse;
using Shop.Messaging.Schema;

namespace Shop.Activity.Warehouse;

/// <summary>
/// The warehouse's files as objects of an S3-compatible storage, by the names that they have in a folder. An object is there when it is whole, and
/// cannot be renamed: small files are not merged, since a reader would see their rows twice, or not at all, in between.
/// </summary>
/// <remarks>
/// The lock is one of the database's, of which a process may not hear in time that it has lost it. So whoever begins a file says so in
/// <see cref="BegunFile"/> before it is sent, and nobody begins another at the same offset: two who send it send the same rows.
/// </remarks>
internal sealed class S3Warehouse(IAmazonS3 s3, NpgsqlDataSource dataSource, IOptions<WarehouseOptions> options, TimeProvider time) : IWarehouse
{
    private const string Lock = "warehouse", Superseded = "_superseded";

    private const int BufferBytes = 128 * 1024;

    /// <summary>How long a storage may pause in the middle of a file that is read.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>How long an answer may take, the client's own attempts included: it would wait for weeks, and longer for what follows an answer's headers. A file that is sent has its time besides.</summary>
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromMinutes(5);

    /// <summary>A file is sent as it was begun, however slowly: less than this is silence.</summary>
    private const int SlowestBytesPerSecond = 16 * 1024;

    private readonly S3Options _options = options.Value.S3;

    /// <inheritdoc/>
    public Task<bool> TryWriteAsync(Func<CancellationToken, Task> work, CancellationToken cancellationToken) =>
        AdvisoryLocks.TryRunAsync(dataSource, Lock, work, time, cancellationToken);

    /// <inheritdoc/>
    public Task<IDisposable?> ReadAsync(CancellationToken cancellationToken) => Task.FromResult<IDisposable?>(null);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<WarehouseFile>> RecoverAsync(CancellationToken cancellationToken) => [.. (await ListAsync(cancellationToken)).Select(file => file.File)];

    /// <inheritdoc/>
    public async Task<IReadOnlyDictionary<(string Topic, int Partition, long Begin), WarehouseFile>> BegunAsync(CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand("SELECT topic, partition, begin_offset, path FROM warehouse_begun");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var begun = new Dictionary<(string, int, long), WarehouseFile>();
        while (await reader.ReadAsync(cancellationToken))
            begun.Add((reader.GetString(0), reader.GetInt32(1), reader.GetInt64(2)), WarehouseFile.Parse(reader.GetString(3))!);
        return begun;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<(WarehouseFile File, long Size)>> ListAsync(CancellationToken cancellationToken)
    {
        var sizes = new Dictionary<WarehouseFile, long>();
        await foreach (var found in ObjectsAsync("topic=", cancellationToken))
        {
            if (WarehouseFile.Parse(found.Key[_options.Prefix.Length..]) is { } file)
                sizes[file] = found.Size ?? 0;
        }
        // a folder that was copied here may have had files that were merged already
        return [.. WarehouseFile.Current(sizes.Keys).Select(file => (file, sizes[file]))];
    }

    /// <inheritdoc/>
    public async Task WriteAsync(WarehouseFile file, long begin, Func<Stream, Task> write, CancellationToken cancellationToken)
    {
        using var content = new MemoryStream();
        await write(content);
        await BeginAsync(file, begin, cancellationToken);
        content.Position = 0;
        var put = new PutObjectRequest { BucketName = _options.Bucket, Key = KeyOf(file.Path), InputStream = content, AutoCloseStream = false, UseChunkEncoding = false };
        await AnswerAsync(token => s3.PutObjectAsync(put, token), cancellationToken, TimeSpan.FromSeconds(content.Length / SlowestBytesPerSecond));
    }

    /// <inheritdoc/>
    public async Task<Stream> OpenAsync(WarehouseFile file, CancellationToken cancellationToken)
    {
        using var answer = await AnswerAsync(token => s3.GetObjectAsync(_options.Bucket, KeyOf(file.Path), token), cancellationToken);
        var (content, buffer) = (new MemoryStream(), new byte[BufferBytes]);
        try
        {
            while (await answer.ResponseStream.ReadAsync(buffer, cancellationToken).AsTask().WaitAsync(Patience, time, cancellationToken) is > 0 and var read)
                content.Write(buffer.AsSpan(0, read));
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"The storage stopped in the middle of {file.Path}, for longer than {Patience.TotalSeconds:0} s");
        }
        content.Position = 0;
        return content;
    }

    /// <inheritdoc/>
    public async Task<string?> SupersedeAsync(string topic, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var aside = $"{Superseded}/{now.UtcDateTime.ToString("yyyyMMdd'T'HHmmssfff", CultureInfo.InvariantCulture)}";
        await foreach (var found in ObjectsAsync($"topic={topic}/", cancellationToken))
        {
            await AnswerAsync(token => s3.CopyObjectAsync(_options.Bucket, found.Key, _options.Bucket, KeyOf($"{aside}/{found.Key[_options.Prefix.Length..]}"), token), cancellationToken);
            await AnswerAsync(token => s3.DeleteObjectAsync(_options.Bucket, found.Key, token), cancellationToken);
        }
        await using var forget = dataSource.CreateCommand("DELETE FROM warehouse_begun WHERE topic = $1");
        forget.Parameters.Add(SqlParameter.Of(topic));
        await forget.ExecuteNonQueryAsync(cancellationToken);
        return aside;
    }

    /// <inheritdoc/>
    public async Task ForgetBegunAsync(string topic, int partition, long after, CancellationToken cancellationToken)
    {
        await using var forget = dataSource.CreateCommand("DELETE FROM warehouse_begun WHERE topic = $1 AND partition = $2 AND begin_offset > $3");
        forget.Parameters.Add(SqlParameter.Of(topic));
        forget.Parameters.Add(SqlParameter.Of(partition));
        forget.Parameters.Add(SqlParameter.Of(after));
        await forget.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Notes that a file is begun, and forgets those before it, which are there: where a later one is noted, others have long written what this one would have.</summary>
    private async Task BeginAsync(WarehouseFile file, long begin, CancellationToken cancellationToken)
    {
        await using var batch = dataSource.CreateBatch();
        // in a statement of its own: the next one begins when nobody else notes anything of the partition, and sees what they noted
        batch.BatchCommands.Add(new("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))") { Parameters = { SqlParameter.Of($"{Lock} {file.Topic}[{file.Partition}]") } });
        batch.BatchCommands.Add(new("""
            WITH gone AS (DELETE FROM warehouse_begun WHERE topic = $1 AND partition = $2 AND begin_offset < $3)
            INSERT INTO warehouse_begun (topic, partition, begin_offset, path)
            SELECT $1, $2, $3, $4 WHERE NOT EXISTS (SELECT FROM warehouse_begun WHERE topic = $1 AND partition = $2 AND begin_offset > $3)
            ON CONFLICT (topic, partition, begin_offset) DO UPDATE SET path = warehouse_begun.path RETURNING path
            """)
        {
            Parameters = { SqlParameter.Of(file.Topic), SqlParameter.Of(file.Partition), SqlParameter.Of(begin), SqlParameter.Of(file.Path) },
        });
        string? path = null;
        await using (var reader = await batch.ExecuteReaderAsync(cancellationToken))
        {
            await reader.NextResultAsync(cancellationToken);
            if (await reader.ReadAsync(cancellationToken))
                path = reader.GetString(0);
        }
        if (path != file.Path)
            throw new IOException($"Another process has begun {path ?? "a later file"} where {file.Path} was to be");
    }

    private async IAsyncEnumerable<S3Object> ObjectsAsync(string prefix, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var request = new ListObjectsV2Request { BucketName = _options.Bucket, Prefix = KeyOf(prefix) };
        do
        {
            var page = await AnswerAsync(token => s3.ListObjectsV2Async(request, token), cancellationToken);
            foreach (var found in page.S3Objects ?? [])
                yield return found;
            request.ContinuationToken = page.IsTruncated == true ? page.NextContinuationToken : null;
        }
        while (request.ContinuationToken is not null);
    }

    /// <exception cref="TimeoutException">The storage has not answered in time, and is asked no longer.</exception>
    private async Task<T> AnswerAsync<T>(Func<CancellationToken, Task<T>> ask, CancellationToken cancellationToken, TimeSpan sending = default)
    {
        using var late = new CancellationTokenSource(AnswerPatience + sending, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            // the client looks at no token while it reads what follows an answer's headers
            return await ask(either.Token).WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"The storage has not answered within {(AnswerPatience + sending).TotalMinutes:0} min");
        }
    }

    private string KeyOf(string path) => _options.Prefix + path;
}
